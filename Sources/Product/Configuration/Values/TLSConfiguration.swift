// Gatehouse. SPDX-License-Identifier: MIT

/// How the listener speaks TLS (`gateway.tls`).
package struct TLSConfiguration: Sendable, Equatable {
    /// Whether clients show certificates of their own.
    package enum ClientCertificates: String, Sendable, CaseIterable {
        /// They are not asked.
        case none
        /// They are asked, and one that is shown must be good.
        case optional
        /// Without a good one there is no connection.
        case required
    }

    /// The oldest version that is spoken.
    package enum Version: String, Sendable, CaseIterable {
        /// TLS 1.2 (RFC 5246) and later.
        case v1_2 = "1.2"
        /// TLS 1.3 (RFC 8446).
        case v1_3 = "1.3"
    }

    /// The file of the certificate, in PEM, with those that sign it after it.
    package var certificate: String
    /// The file of its private key, in PEM.
    package var key: String
    /// The file of the certificates, in PEM, that sign those of clients.
    package var clientAuthority: String?
    /// Whether clients show certificates.
    package var clientCertificates = ClientCertificates.none
    /// The oldest version that is spoken.
    package var minimumVersion = Version.v1_2
    /// For how many seconds a browser uses TLS only (RFC 6797); 0 says nothing.
    package var hstsSeconds = 31_536_000

    /// A certificate and its key, and everything else at its default.
    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }
}
