// Gatehouse. SPDX-License-Identifier: MIT

/// What a listener needs to speak TLS.
package struct TLSSettings: Sendable, Equatable {
    /// Whether clients show certificates of their own.
    package enum ClientCertificates: Sendable {
        /// They are not asked.
        case none
        /// They are asked, and one that is shown must be good.
        case optional
        /// Without a good one there is no connection.
        case required
    }

    /// The oldest version that is spoken.
    package enum Version: Sendable {
        /// TLS 1.2 (RFC 5246).
        case v1_2
        /// TLS 1.3 (RFC 8446).
        case v1_3
    }

    /// The file of the certificate, in PEM, with those that sign it after it.
    package var certificate: String
    /// The file of its private key, in PEM, without a passphrase.
    package var key: String
    /// The file of the certificates, in PEM, that sign those of clients.
    package var clientAuthority: String?
    /// Whether clients show certificates; needs `clientAuthority` unless they do not.
    package var clientCertificates = ClientCertificates.none
    /// The oldest version that is spoken.
    package var minimumVersion = Version.v1_2

    /// A certificate and its key, and everything else at its default.
    package init(certificate: String, key: String) {
        self.certificate = certificate
        self.key = key
    }

    /// The files that decide what is spoken.
    var files: [String] { [certificate, key] + (clientAuthority.map { [$0] } ?? []) }
}

/// Why TLS cannot be spoken, in words that name the file or the rule.
package struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// One line.
    package let description: String
    /// Whether the peer spoke plain HTTP instead.
    package let isPlainHTTP: Bool

    init(_ description: String, isPlainHTTP: Bool = false) {
        self.description = description
        self.isPlainHTTP = isPlainHTTP
    }
}
