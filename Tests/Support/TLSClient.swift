// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// The client's end of a TLS connection in memory: OpenSSL's own, over its own memory BIOs.
///
/// It checks no certificate: what it is for is how the server's end behaves.
package final class TLSClient {
    /// How a client is.
    package struct Settings: Sendable {
        /// The newest version it speaks, as OpenSSL numbers them.
        package var newest = TLS1_3_VERSION
        /// The protocols that it offers.
        package var protocols: [String] = []
        /// Its own certificate.
        package var identity: Certificates?

        package init() {}
        /// TLS 1.1, with the ciphers that it had.
        package static let v1_1 = TLS1_1_VERSION
        /// TLS 1.2.
        package static let v1_2 = TLS1_2_VERSION
    }

    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    /// What the server sent, decrypted.
    package private(set) var received: [UInt8] = []
    /// Whether the server said that it sends no more.
    package private(set) var isEnded = false
    /// Whether the server broke off.
    package private(set) var hasFailed = false

    package init(_ settings: Settings = Settings()) throws {
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw Certificates.Failure() }
        self.context = context
        SSL_CTX_set_cipher_list(context, "DEFAULT@SECLEVEL=0")
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_VERSION), nil)
        SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(settings.newest), nil)
        if let identity = settings.identity {
            SSL_CTX_use_certificate_chain_file(context, identity.certificate)
            SSL_CTX_use_PrivateKey_file(context, identity.key, SSL_FILETYPE_PEM)
        }
        guard let ssl = SSL_new(context), let input = BIO_new(BIO_s_mem()), let output = BIO_new(BIO_s_mem())
        else { throw Certificates.Failure() }
        (self.ssl, self.input, self.output) = (ssl, input, output)
        // An empty BIO asks for more instead of reporting an end.
        BIO_ctrl(input, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, nil)
        SSL_set_bio(ssl, input, output)
        SSL_set_connect_state(ssl)
        let names = settings.protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
        if !names.isEmpty { SSL_set_alpn_protos(ssl, names, UInt32(names.count)) }
        pump()
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// Whether the handshake is over.
    package var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }
    /// The version that was agreed on.
    package var version: String { String(cString: SSL_get_version(ssl)) }

    /// The protocol that was agreed on.
    package var selectedProtocol: String {
        var name: UnsafePointer<UInt8>?
        var length: UInt32 = 0
        SSL_get0_alpn_selected(ssl, &name, &length)
        return String(decoding: UnsafeBufferPointer(start: name, count: Int(length)), as: UTF8.self)
    }

    /// The common name in the server's certificate.
    package var serverName: String {
        guard let certificate = SSL_get0_peer_certificate(ssl) else { return "" }
        var text = [CChar](repeating: 0, count: 128)
        X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, 128)
        return String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    /// Takes what the server sent.
    package func receive(_ bytes: [UInt8]) {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes {
                BIO_write(input, $0.baseAddress?.advanced(by: start), Int32(bytes.count - start))
            }
            guard count > 0 else { return }
            start += Int(count)
        }
        pump()
    }

    /// Encrypts bytes; the handshake must be over.
    package func write(_ bytes: [UInt8]) {
        var written = 0
        ERR_clear_error()
        SSL_write_ex(ssl, bytes, bytes.count, &written)
    }

    /// Says that it sends no more.
    package func endWriting() {
        ERR_clear_error()
        SSL_shutdown(ssl)
    }

    /// What is to be sent.
    package func takeOutput() -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = BIO_read(output, &piece, Int32(piece.count))
            guard count > 0 else { return bytes }
            bytes += piece[..<Int(count)]
        }
    }

    private func pump() {
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            ERR_clear_error()
            let count = SSL_read(ssl, &piece, Int32(piece.count))
            if count > 0 {
                received += piece[..<Int(count)]
                continue
            }
            switch SSL_get_error(ssl, count) {
            case SSL_ERROR_WANT_READ: break
            case SSL_ERROR_ZERO_RETURN: isEnded = true
            default: hasFailed = true
            }
            return
        }
    }
}
