// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// What a server speaks TLS with: a certificate, its key, and what it asks of clients (RFC 8446, RFC 5246).
///
/// It is made from files, which are read once; other files make another context. Sessions keep the one they began with.
@safe
package final class TLSContext {
    /// What it is made of.
    package struct Settings: Sendable, Equatable {
        /// The file of the certificate, in PEM, with those that sign it after it.
        package var certificate: String
        /// The file of its private key, in PEM.
        package var key: String
        /// The file of the certificates that sign those of clients, in PEM; nil asks clients for none.
        package var clientAuthority: String?
        /// Whether a client without a certificate is refused.
        package var requiresClientCertificate = false
        /// Whether TLS 1.2 is refused.
        package var isOnly1_3 = false

        /// A certificate and its key, for clients that need none.
        package init(certificate: String, key: String) {
            self.certificate = certificate
            self.key = key
        }

        /// The files, for those who watch them.
        package var files: [String] { [certificate, key] + [clientAuthority].compactMap(\.self) }
    }

    let pointer: OpaquePointer

    /// Reads the files.
    ///
    /// - Parameter settings: What it is made of.
    /// - Throws: Which of them is not what it should be, and why.
    package init(_ settings: Settings) throws(TLSFailure) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_server_method()) else {
            throw TLSFailure("OpenSSL: \(TLSFailure.lastReason())")
        }
        pointer = context
        guard gatehouse_tls_prepare(context, settings.isOnly1_3 ? 1 : 0) == 1 else {
            throw TLSFailure("OpenSSL: \(TLSFailure.lastReason())")
        }
        guard SSL_CTX_use_certificate_chain_file(context, settings.certificate) == 1 else {
            throw TLSFailure("the certificate \(settings.certificate): \(TLSFailure.lastReason())")
        }
        // Without this a key with a passphrase would be asked for at the terminal.
        SSL_CTX_set_default_passwd_cb(context) { _, _, _, _ in 0 }
        guard SSL_CTX_use_PrivateKey_file(context, settings.key, SSL_FILETYPE_PEM) == 1 else {
            throw TLSFailure("the key \(settings.key): \(TLSFailure.lastReason())")
        }
        guard SSL_CTX_check_private_key(context) == 1 else {
            throw TLSFailure("the key \(settings.key) is not that of \(settings.certificate)")
        }
        guard let authority = settings.clientAuthority else { return }
        guard SSL_CTX_load_verify_file(context, authority) == 1,
            let names = SSL_load_client_CA_file(authority)
        else {
            throw TLSFailure("the authority of clients \(authority): \(TLSFailure.lastReason())")
        }
        SSL_CTX_set_client_CA_list(context, names)
        let mode =
            SSL_VERIFY_PEER | (settings.requiresClientCertificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0)
        SSL_CTX_set_verify(context, mode, nil)
        // Tickets are bound to this: one from a server that asks nothing of clients is worth nothing here.
        let name = Array("gatehouse".utf8)
        SSL_CTX_set_session_id_context(context, name, UInt32(name.count))
    }

    deinit {
        SSL_CTX_free(pointer)
    }
}
