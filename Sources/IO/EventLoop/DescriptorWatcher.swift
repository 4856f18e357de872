// Gatehouse. SPDX-License-Identifier: MIT

import CUV

/// Calls a handler while a descriptor is readable or writable, again and again as long as it stays so.
///
/// It does not own the descriptor: close the watcher first, then the descriptor. A descriptor has one watcher at a
/// time and becomes non-blocking. It lives until `close()` or the end of its loop.
package final class DescriptorWatcher: LoopResource {
    /// What to wait for, and what has come.
    ///
    /// An error on the descriptor shows as both.
    package struct Events: OptionSet, Sendable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) { self.rawValue = rawValue }

        package static let readable = Events(rawValue: 1)
        package static let writable = Events(rawValue: 2)
    }

    private let loop: EventLoop
    private let handle = Handle<uv_poll_t>()
    private var handler: ((Events) -> Void)?

    /// Starts watching.
    ///
    /// Loop thread only. Fails for what cannot be polled, such as regular files.
    package init(
        _ loop: EventLoop,
        descriptor: Int32,
        events: Events,
        _ handler: @escaping (Events) -> Void
    ) throws(IOFailure) {
        loop.preconditionCurrent()
        self.loop = loop
        let result = uv_poll_init(loop.uv, handle.pointer, descriptor)
        guard result == 0 else {
            handle.discard()
            throw IOFailure(operation: "watch a descriptor", code: result)
        }
        self.handler = handler
        handle.own(self)
        update(events)
    }

    /// Changes what is waited for; nothing at all pauses it.
    package func update(_ events: Events) {
        loop.preconditionCurrent()
        guard handler != nil else { return }
        guard !events.isEmpty else {
            uv_poll_stop(handle.pointer)
            return
        }
        uv_poll_start(handle.pointer, Int32(events.rawValue)) { handle, status, events in
            guard let watcher = owner(handle?.pointee.data, as: DescriptorWatcher.self) else { return }
            watcher.handler?(
                status < 0 ? [.readable, .writable] : Events(rawValue: UInt8(truncatingIfNeeded: events))
            )
        }
    }

    package func close() {
        guard let handler = handler.take() else { return }
        loop.preconditionCurrent()
        handle.close()
        // What the handler holds may well hold this watcher: it goes last.
        _ = consume handler
    }
}
