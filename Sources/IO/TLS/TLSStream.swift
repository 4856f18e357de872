// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// The server's end of a TLS connection, without its socket: takes what has come, and gives what is to be sent.
///
/// It starts before the handshake. It ends when the peer says so (`close_notify`, RFC 8446 §6.1), when something breaks its
/// rules, or with its owner, who closes the socket in each case. Nothing waits in it but a record that is not whole, of at
/// most 16 KiB: everything else is handed on at once, and whoever takes it holds the peer back by not reading the socket.
package final class TLSStream {
    /// What taking in led to.
    package enum Progress: Equatable {
        /// More has to come.
        case open
        /// The peer sends no more.
        case ended
        /// Nothing more can be said but what was given to `send`.
        case failed(TLSFailure)
    }

    private let ssl: OpaquePointer
    private let context: TLSContext
    private var failure: TLSFailure?
    private var hasClosed = false
    /// Whether the handshake is over.
    package private(set) var isEstablished = false

    /// Waits for a client's first message.
    package init(_ context: TLSContext) throws(TLSFailure) {
        TLSErrors.clear()
        guard let ssl = SSL_new(context.pointer) else { throw TLSErrors.take() }
        guard let bio = context.room.makeBIO() else {
            SSL_free(ssl)
            throw TLSErrors.take()
        }
        self.ssl = ssl
        self.context = context
        // One BIO for both ways; the connection owns it now.
        SSL_set_bio(ssl, bio, bio)
        SSL_set_accept_state(ssl)
    }

    deinit { SSL_free(ssl) }

    /// The version that was agreed on, such as `TLSv1.3`.
    package var version: String { SSL_get_version(ssl).map { String(cString: $0) } ?? "" }

    /// Takes in what has come.
    ///
    /// - Parameters:
    ///   - ciphertext: The bytes.
    ///   - send: Is given what the peer is to be sent, before what was decrypted is handed on.
    ///   - take: Is given what was decrypted, which is there during the call only; false if no more is wanted.
    /// - Returns: What comes next.
    package func receive(
        _ ciphertext: Span<UInt8>,
        send: (Span<UInt8>) -> Void,
        take: (Span<UInt8>) -> Bool
    ) -> Progress {
        if let failure { return .failed(failure) }
        return ciphertext.withUnsafeBytes { bytes in
            context.room.input = bytes
            defer { context.room.input = UnsafeRawBufferPointer(start: nil, count: 0) }
            while true {
                let (count, progress) = read()
                context.room.flush(send)
                if count > 0 {
                    let whole = UnsafeRawBufferPointer(rebasing: context.room.plaintext[..<count])
                    guard take(Span<UInt8>(_unsafeBytes: whole)) else { return .open }
                }
                if let progress { return progress }
            }
        }
    }

    /// Decrypts as much as there is room for; nil if there is more to be had.
    private func read() -> (count: Int, progress: Progress?) {
        let room = context.room.plaintext
        var count = 0
        while count < room.count {
            TLSErrors.clear()
            var taken = 0
            let result = SSL_read_ex(ssl, room.baseAddress?.advanced(by: count), room.count - count, &taken)
            if !isEstablished { isEstablished = SSL_is_init_finished(ssl) == 1 }
            if result == 1 {
                count += taken
                continue
            }
            switch SSL_get_error(ssl, result) {
            case SSL_ERROR_WANT_READ: return (count, .open)
            case SSL_ERROR_ZERO_RETURN: return (count, .ended)
            default:
                let failure = TLSErrors.take()
                self.failure = failure
                return (count, .failed(failure))
            }
        }
        return (count, nil)
    }

    /// Encrypts bytes; before the end of the handshake, and after a failure, they are dropped.
    ///
    /// - Returns: False if TLS has failed, now or before: nothing more can be said.
    package func write(_ plaintext: Span<UInt8>, send: (Span<UInt8>) -> Void) -> Bool {
        guard failure == nil else { return false }
        guard isEstablished, !hasClosed, !plaintext.isEmpty else { return true }
        let input = context.room.setAsideInput()
        defer { context.room.input = input }
        TLSErrors.clear()
        plaintext.withUnsafeBytes { bytes in
            var written = 0
            // The BIO takes everything, so that this writes all or fails for good.
            let result = SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &written)
            if result != 1 { failure = TLSErrors.take() }
        }
        context.room.flush(send)
        return failure == nil
    }

    /// Tells the peer that no more comes.
    package func endWriting(send: (Span<UInt8>) -> Void) {
        guard isEstablished, failure == nil, !hasClosed else { return }
        hasClosed = true
        let input = context.room.setAsideInput()
        defer { context.room.input = input }
        TLSErrors.clear()
        _ = SSL_shutdown(ssl)
        TLSErrors.clear()
        context.room.flush(send)
    }
}
