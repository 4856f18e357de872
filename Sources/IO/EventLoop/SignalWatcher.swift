// Gatehouse. SPDX-License-Identifier: MIT

import CUV

/// Calls a handler on the loop when the process gets a signal.
///
/// It lives until `close()` or the end of its loop; when the last watcher of a signal goes, its default action is back.
package final class SignalWatcher: LoopResource {
    private let loop: EventLoop
    private let handle = Handle<uv_signal_t>()
    private var handler: (() -> Void)?

    /// Starts watching.
    ///
    /// Loop thread only.
    package init(_ loop: EventLoop, signal: Int32, _ handler: @escaping () -> Void) throws(IOFailure) {
        loop.preconditionCurrent()
        self.loop = loop
        let result = uv_signal_init(loop.uv, handle.pointer)
        guard result == 0 else {
            handle.discard()
            throw IOFailure(operation: "watch a signal", code: result)
        }
        self.handler = handler
        let failure = uv_signal_start(
            handle.pointer,
            { handle, _ in owner(handle?.pointee.data, as: SignalWatcher.self)?.handler?() },
            signal
        )
        guard failure == 0 else {
            self.handler = nil
            handle.close()
            throw IOFailure(operation: "watch a signal", code: failure)
        }
        handle.own(self)
    }

    package func close() {
        guard let handler = handler.take() else { return }
        loop.preconditionCurrent()
        handle.close()
        // What the handler holds may well hold this watcher: it goes last.
        _ = consume handler
    }
}
