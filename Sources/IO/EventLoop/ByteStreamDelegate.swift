// Gatehouse. SPDX-License-Identifier: MIT

/// What a stream tells its owner, on the loop's thread.
///
/// All of these may write to the stream, stop or start reading, or close it.
package protocol ByteStreamDelegate: AnyObject {
    /// Bytes have come.
    ///
    /// They are borrowed from the loop's one read buffer: copy what is to be kept, or have the stream keep it.
    func streamReceived(_ bytes: Span<UInt8>, on stream: ByteStream)

    /// Nothing more comes: end of file (nil), or an error of reading or writing.
    ///
    /// Once.
    ///
    /// After end of file writing still works; `close()` is the owner's to call.
    func streamEnded(_ failure: IOFailure?, on stream: ByteStream)

    /// `pendingBytes` fell to 0 after it had been more: written, or dropped because writing failed after end of file.
    func streamDrained(on stream: ByteStream)
}
