// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

// Bytes go to the loop's one read buffer, and are gone when the delegate returns. What it keeps is held by the stream, and
// what comes next is read to where it belongs, behind it: a message that comes in many parts is never copied together.

extension ByteStream {
    /// Has the bytes given again from `position` on, in front of what comes next.
    ///
    /// For a delegate that has been given bytes of which the last are no whole message, before it returns. There is no limit
    /// here: close the stream if it is too much.
    package func keep(from position: Int) {
        loop.preconditionCurrent()
        keptFrom = position
    }

    /// Gives what was kept once more, with nothing behind it.
    ///
    /// Not out of a call of the delegate.
    package func readKept() {
        loop.preconditionCurrent()
        guard !isClosed, kept.count > 0 else { return }
        deliver(0)
    }

    /// Where the next bytes go.
    func roomToRead() -> UnsafeMutableRawBufferPointer {
        guard kept.count > 0 else { return loop.readBuffer }
        let part = loop.readBuffer.count
        // What is more than a part is a large message, and likely of the size of the last one.
        return kept.room(part, total: kept.count > part ? mostKept : 0)
    }

    /// Gives the delegate what was kept and what has come.
    func deliver(_ count: Int) {
        keptFrom = nil
        guard kept.count > 0 else {
            let bytes = UnsafeRawBufferPointer(rebasing: loop.readBuffer[..<count])
            delegate?.streamReceived(Span<UInt8>(_unsafeBytes: bytes), on: self)
            if let keptFrom, keptFrom < count {
                kept.append(UnsafeRawBufferPointer(rebasing: bytes[max(0, keptFrom)...]))
            }
            return
        }
        kept.extend(by: count)
        let bytes = UnsafeRawBufferPointer(kept.bytes)
        delegate?.streamReceived(Span<UInt8>(_unsafeBytes: bytes), on: self)
        let rest = min(max(0, keptFrom ?? bytes.count), bytes.count)
        if rest > 0 { mostKept = bytes.count }
        kept.removeFirst(rest)
    }
}
