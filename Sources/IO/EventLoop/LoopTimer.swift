// Gatehouse. SPDX-License-Identifier: MIT

import CUV

/// Calls a handler after some time, once or again and again.
///
/// Setting it is cheap (no system call).
///
/// Starting it again replaces what was set before. It ends with `close()` or with the last reference to it; the handler
/// is released then, and does not run afterwards. A timer whose loop has ended stays silent.
package final class LoopTimer {
    private let core: Core

    /// Makes a timer that is not set.
    ///
    /// Loop thread only, like all that follows.
    package init(_ loop: EventLoop, _ handler: @escaping () -> Void) {
        core = Core(loop, handler)
    }

    /// Sets it to run once.
    package func schedule(after milliseconds: UInt64) { core.start(milliseconds, every: 0) }

    /// Sets it to run again and again, first after one interval.
    package func `repeat`(every milliseconds: UInt64) {
        core.start(milliseconds, every: max(milliseconds, 1))
    }

    /// Unsets it.
    ///
    /// It can be set again.
    package func cancel() { core.cancel() }

    /// Whether it is set.
    package var isScheduled: Bool { core.isActive }

    package func close() { core.close() }

    deinit {
        if core.loop.isCurrent {
            core.close()
        } else {
            let core = LoopBound(core, core.loop)
            core.loop.post { core.value.close() }
        }
    }

    /// What the handle keeps alive, so that dropping the timer itself can end it.
    private final class Core: LoopResource {
        let loop: EventLoop
        private let handle = Handle<uv_timer_t>()
        private var handler: (() -> Void)?

        init(_ loop: EventLoop, _ handler: @escaping () -> Void) {
            loop.preconditionCurrent()
            self.loop = loop
            self.handler = handler
            uv_timer_init(loop.uv, handle.pointer)
            handle.own(self)
        }

        var isActive: Bool { handler != nil && uv_is_active(handle.base) != 0 }

        func start(_ milliseconds: UInt64, every interval: UInt64) {
            loop.preconditionCurrent()
            guard handler != nil else { return }
            uv_timer_start(
                handle.pointer,
                { owner($0?.pointee.data, as: Core.self)?.fire() },
                milliseconds,
                interval
            )
        }

        func cancel() {
            loop.preconditionCurrent()
            if handler != nil { uv_timer_stop(handle.pointer) }
        }

        func close() {
            guard let handler = handler.take() else { return }
            handle.close()
            // What the handler holds may well hold this timer: it goes last.
            _ = consume handler
        }

        private func fire() {
            handler?()
        }
    }
}
