// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL
import Glibc

/// A certificate, its key and the rules of TLS, ready for connections.
///
/// It belongs to one loop, and so do its connections, which keep it alive. It speaks TLS 1.2 with forward secrecy and
/// authenticated encryption only, and TLS 1.3; no renegotiation, no compression, no early data. Sessions are resumed by
/// tickets under a key of this context's own, so that nothing is kept for clients that went, and a new context resumes none.
package final class TLSContext {
    let pointer: OpaquePointer
    /// Memory for what connections of the loop take in and give out, one at a time.
    let room = TLSRoom()
    /// What is odd about the certificate, though it works: that it has expired, or that its time has not come.
    package let warning: String?

    /// Reads the files.
    ///
    /// - Parameter settings: Which files, and how they are used.
    /// - Throws: Which file is not what it should be, and why.
    package init(_ settings: TLSSettings) throws(TLSFailure) {
        TLSErrors.clear()
        guard let pointer = SSL_CTX_new(TLS_server_method()) else { throw TLSErrors.take() }
        do throws(TLSFailure) {
            gatehouse_tls_set_up(pointer)
            let minimum = settings.minimumVersion == .v1_3 ? TLS1_3_VERSION : TLS1_2_VERSION
            let ciphers = "ECDHE+AESGCM:ECDHE+CHACHA20"
            guard gatehouse_tls_set_minimum(pointer, minimum) == 1,
                SSL_CTX_set_cipher_list(pointer, ciphers) == 1
            else { throw TLSErrors.take() }
            SSL_CTX_set_alpn_select_cb(pointer, selectProtocol, nil)
            // Without this the library asks for a passphrase at the terminal.
            SSL_CTX_set_default_passwd_cb(pointer) { _, _, _, _ in 0 }
            try Self.readIdentity(settings, into: pointer)
            try Self.readAuthority(settings, into: pointer)
        } catch {
            SSL_CTX_free(pointer)
            throw error
        }
        self.pointer = pointer
        warning = Self.oddity(of: pointer).map { "the certificate \(settings.certificate) \($0)" }
    }

    deinit { SSL_CTX_free(pointer) }

    private static func readIdentity(_ settings: TLSSettings, into pointer: OpaquePointer) throws(TLSFailure)
    {
        try check("certificate", settings.certificate) {
            SSL_CTX_use_certificate_chain_file(pointer, settings.certificate)
        }
        try check("key", settings.key) {
            SSL_CTX_use_PrivateKey_file(pointer, settings.key, SSL_FILETYPE_PEM)
        }
        guard SSL_CTX_check_private_key(pointer) == 1 else { throw TLSErrors.take() }
    }

    private static func readAuthority(_ settings: TLSSettings, into pointer: OpaquePointer) throws(TLSFailure)
    {
        guard settings.clientCertificates != .none else { return }
        guard let authority = settings.clientAuthority else {
            throw TLSFailure("clients are asked for certificates, and nothing says who signs them")
        }
        try check("client authority", authority) { SSL_CTX_load_verify_locations(pointer, authority, nil) }
        // The names go to clients, so that these can choose a certificate.
        guard let names = SSL_load_client_CA_file(authority) else { throw TLSErrors.take() }
        SSL_CTX_set_client_CA_list(pointer, names)
        let isRequired = settings.clientCertificates == .required
        SSL_CTX_set_verify(
            pointer,
            SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
            nil
        )
        // Resumption with client certificates is refused without a name for where they were checked.
        let name = Array("gatehouse".utf8)
        guard SSL_CTX_set_session_id_context(pointer, name, UInt32(name.count)) == 1 else {
            throw TLSErrors.take()
        }
    }

    /// Loads a file, or says which one it was and why.
    private static func check(_ what: String, _ file: String, _ load: () -> Int32) throws(TLSFailure) {
        guard !file.utf8.contains(0) else { throw TLSFailure("the name of the \(what) holds a NUL") }
        guard access(file, R_OK) == 0 else {
            let reason = strerror(errno).map { String(cString: $0).lowercased() } ?? "unreadable"
            throw TLSFailure("cannot read the \(what) \(file): \(reason)")
        }
        TLSErrors.clear()
        guard load() != 1 else { return }
        let reason = TLSErrors.take().description
        let words =
            switch reason {
            case "no start line", "unsupported", "no certificate or crl found": "there is none in it in PEM"
            case "bad decrypt", "bad password read", "problems getting password", "interrupted or cancelled":
                "it needs a passphrase; store it without one, readable for the gateway only"
            case "key values mismatch", "key type mismatch": "it is not that of the certificate"
            default: reason
            }
        throw TLSFailure("cannot use the \(what) \(file): \(words)")
    }

    private static func oddity(of pointer: OpaquePointer) -> String? {
        guard let certificate = SSL_CTX_get0_certificate(pointer) else { return nil }
        if X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0 { return "has expired" }
        if X509_cmp_current_time(X509_get0_notBefore(certificate)) > 0 { return "is not valid yet" }
        return nil
    }
}

/// Chooses HTTP/1.1 (RFC 7301 §3.2); a client that offers others only is refused.
private func selectProtocol(
    _ connection: OpaquePointer?,
    _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?,
    _ offered: UnsafePointer<UInt8>?,
    _ length: UInt32,
    _ context: UnsafeMutableRawPointer?
) -> Int32 {
    let names = UnsafeBufferPointer(start: offered, count: Int(length))
    let wanted = StaticString("http/1.1")
    var index = 0
    while index < names.count {
        let start = index + 1
        let end = start + Int(names[index])
        guard end <= names.count else { break }
        if end - start == wanted.utf8CodeUnitCount, let first = names.baseAddress?.advanced(by: start),
            memcmp(first, wanted.utf8Start, end - start) == 0
        {
            chosen?.pointee = first
            chosenLength?.pointee = names[index]
            return SSL_TLSEXT_ERR_OK
        }
        index = end
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
