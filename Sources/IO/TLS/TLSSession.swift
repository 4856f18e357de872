// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// The server's side of one TLS connection, without the connection: sealed bytes in and out, plain bytes in and out.
///
/// It starts with the client's first bytes and is over when it said so or failed. It holds no more than one record in each
/// direction between two calls: what is opened is handed on at once, and so is what is sealed. One thread's.
@safe
package final class TLSSession {
    /// How it stands after bytes have come.
    package enum Standing: Equatable {
        /// It goes on.
        case open
        /// The client said that it sends nothing more.
        case ended
        /// The client broke the rules, or was refused; what must still be sent is in the output.
        case failed(TLSFailure)
        /// The client speaks plain HTTP.
        case plainHTTP
    }

    /// The most bytes that one record holds (RFC 8446 §5.1).
    private static let recordLength = 16_384

    private let ssl: OpaquePointer
    private let input: OpaquePointer
    private let output: OpaquePointer
    private var isOver = false
    /// Whether the handshake is done.
    package var isEstablished: Bool { SSL_is_init_finished(ssl) == 1 }

    /// Starts as a server that waits for a client's first bytes.
    ///
    /// It fails where there is no memory.
    ///
    /// - Parameter context: What it speaks TLS with.
    package init?(_ context: TLSContext) {
        ERR_clear_error()
        guard let ssl = SSL_new(context.pointer) else { return nil }
        guard let input = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        guard let output = BIO_new(BIO_s_mem()) else {
            BIO_free(input)
            SSL_free(ssl)
            return nil
        }
        (self.ssl, self.input, self.output) = (ssl, input, output)
        gatehouse_bio_is_endless(input)
        gatehouse_bio_is_endless(output)
        SSL_set_bio(ssl, input, output)
        SSL_set_accept_state(ssl)
    }

    deinit {
        SSL_free(ssl)
    }

    /// Takes sealed bytes.
    ///
    /// - Parameters:
    ///   - bytes: What came.
    ///   - plain: Takes what was in them, a record at a time; it may use the session, and end it.
    /// - Returns: How it stands.
    package func receive(_ bytes: Span<UInt8>, plain: (Span<UInt8>) -> Void) -> Standing {
        guard !isOver else { return .ended }
        ERR_clear_error()
        let taken = bytes.withUnsafeBufferPointer { buffer in
            BIO_write(input, buffer.baseAddress, Int32(clamping: buffer.count))
        }
        guard taken == bytes.count else { return fail(TLSFailure("no memory")) }
        return withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Self.recordLength) { buffer in
            while !isOver {
                ERR_clear_error()
                let count = SSL_read(ssl, buffer.baseAddress, Int32(Self.recordLength))
                guard count <= 0 else {
                    plain(UnsafeBufferPointer(rebasing: buffer[..<Int(count)]).span)
                    continue
                }
                switch SSL_get_error(ssl, count) {
                case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .open
                case SSL_ERROR_ZERO_RETURN: return .ended
                default:
                    if gatehouse_is_plain_http(ERR_peek_error()) == 1 {
                        isOver = true
                        return .plainHTTP
                    }
                    return fail(TLSFailure(TLSFailure.lastReason()))
                }
            }
            return .ended
        }
    }

    private func fail(_ failure: TLSFailure) -> Standing {
        isOver = true
        return .failed(failure)
    }

    /// Seals bytes; false if nothing can be said any more.
    package func send(_ bytes: Span<UInt8>) -> Bool {
        guard !isOver, !bytes.isEmpty else { return !isOver }
        ERR_clear_error()
        return bytes.withUnsafeBufferPointer { buffer in
            var rest = UnsafeBufferPointer(rebasing: buffer[...])
            // An output in memory takes all that is sealed.
            while !rest.isEmpty {
                let count = SSL_write(ssl, rest.baseAddress, Int32(clamping: rest.count))
                guard count > 0 else {
                    isOver = true
                    return false
                }
                rest = UnsafeBufferPointer(rebasing: rest[Int(count)...])
            }
            return true
        }
    }

    /// Says that nothing more will be sent (RFC 8446 §6.1).
    package func end() {
        guard !isOver, isEstablished else { return }
        ERR_clear_error()
        _ = SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Hands on what is to be sent to the client, and forgets it.
    package func takeOutput(_ body: (Span<UInt8>) -> Void) {
        var start: UnsafeMutablePointer<CChar>?
        let count = BIO_ctrl(output, BIO_CTRL_INFO, 0, &start)
        guard count > 0, let start else { return }
        start.withMemoryRebound(to: UInt8.self, capacity: count) { bytes in
            body(UnsafeBufferPointer(start: bytes, count: count).span)
        }
        BIO_ctrl(output, BIO_CTRL_RESET, 0, nil)
    }
}
