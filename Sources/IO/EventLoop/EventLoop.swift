// Gatehouse. SPDX-License-Identifier: MIT

import CProcess
import CUV
import Glibc
import Synchronization

/// One thread, one libuv loop, one Swift executor.
///
/// Streams, timers, listeners and watchers belong to a loop and are used on its thread only. Other threads reach it by
/// `post`, and Swift tasks by preferring it or by actors that name it as their executor.
///
/// What belongs to a loop is changed in place only by what calls nobody back, so that accesses never overlap. The check of
/// that at run time was a tenth of a call: properties that every message comes by go without, as `@exclusivity(unchecked)`
/// says.
///
/// It starts with `start()` (a thread of its own) or `run()` (the calling thread), and ends after `stop()`: everything
/// that is still open on it is closed, and what is posted later is dropped without being run. A task that still
/// needs the loop then never continues, so stop it last.
// Sendable, unchecked: the mailbox is locked, the rest is confined to the thread.
package final class EventLoop: @unchecked Sendable {
    /// The name of the loop and of its thread.
    package let name: String
    let uv: UnsafeMutablePointer<uv_loop_t>
    /// Where every stream of this loop reads to, so that idle streams hold no buffers.
    let readBuffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 65536, alignment: 16)
    let mailbox = Mailbox()
    /// Work for the next turn.
    ///
    /// Loop thread only.
    @exclusivity(unchecked) var nextTurn: [() -> Void] = []
    /// Spare storage that drained work is swapped with.
    ///
    /// Loop thread only.
    @exclusivity(unchecked) var spareTurn: [() -> Void] = []
    @exclusivity(unchecked) var spareWork: [Mailbox.Work] = []
    /// The streams that write when all else is done.
    ///
    /// Loop thread only.
    @exclusivity(unchecked) var gathering: [ByteStream] = []
    /// Memory for the next of them.
    @exclusivity(unchecked) var spareBytes: [UInt8] = []

    private let wakeDescriptor: Int32
    private let wake = Handle<uv_poll_t>()
    private let prepare = Handle<uv_prepare_t>()
    private let idle = Handle<uv_idle_t>()
    /// The running thread, or 0.
    private let thread = Atomic<UInt>(0)
    private let started = Locked<pthread_t?>(nil)
    private var isTornDown = false

    /// Makes the loop and its wake-up descriptor, and has the process ignore SIGPIPE.
    ///
    /// No thread is started.
    package init(name: String) throws(IOFailure) {
        self.name = name
        signal(SIGPIPE, SIG_IGN)
        let descriptor = try IOFailure.check("eventfd", gatehouse_eventfd())
        wakeDescriptor = descriptor
        uv = .allocate(capacity: 1)
        let result = uv_loop_init(uv)
        guard result == 0 else {
            Glibc.close(descriptor)
            uv.deallocate()
            wake.discard()
            prepare.discard()
            idle.discard()
            readBuffer.deallocate()
            isTornDown = true
            throw IOFailure(operation: "uv_loop_init", code: result)
        }
        // The handles' data is the loop without a reference: they are closed before it goes.
        let context = Unmanaged.passUnretained(self).toOpaque()
        uv.pointee.data = context
        uv_prepare_init(uv, prepare.pointer)
        uv_idle_init(uv, idle.pointer)
        let failure = uv_poll_init(uv, wake.pointer, descriptor)
        guard failure == 0 else {
            wake.discard()
            prepare.close()
            idle.close()
            finish()
            throw IOFailure(operation: "uv_poll_init", code: failure)
        }
        uv_prepare_start(prepare.pointer) { handle in
            eventLoop(handle?.pointee.loop)?.turn()
        }
        uv_poll_start(wake.pointer, Int32(UV_READABLE.rawValue)) { handle, _, _ in
            eventLoop(handle?.pointee.loop)?.clearWake()
        }
    }

    deinit {
        if !isTornDown { tearDown() }
    }

    /// Runs the loop on a thread of its own.
    ///
    /// Once. If the system grants no further thread, nothing has happened.
    package func start() throws(IOFailure) {
        var thread = pthread_t()
        let context = Unmanaged.passRetained(self)
        let result = pthread_create(&thread, nil, eventLoopThread, context.toOpaque())
        guard result == 0 else {
            context.release()
            throw IOFailure(operation: "start a thread", code: result)
        }
        started.withLock { $0 = thread }
    }

    /// Runs the loop on the calling thread, until `stop()`.
    ///
    /// Once.
    package func run() {
        precondition(!isTornDown, "an event loop runs once")
        thread.store(UInt(pthread_self()), ordering: .relaxed)
        while !mailbox.isStopping { uv_run(uv, UV_RUN_DEFAULT) }
        tearDown()
        thread.store(0, ordering: .relaxed)
    }

    /// Asks the loop to end.
    ///
    /// From any thread.
    package func stop() {
        mailbox.stop()
        wakeUp()
    }

    /// Waits for the thread of `start()` to end.
    ///
    /// Not from the loop itself.
    package func join() {
        if let thread = started.withLock({ $0.take() }) { pthread_join(thread, nil) }
    }

    /// Lets the thread of `start()` go when it ends, for a loop that nobody will wait for.
    package func detach() {
        if let thread = started.withLock({ $0.take() }) { pthread_detach(thread) }
    }

    /// Whether this is the loop's thread.
    package var isCurrent: Bool {
        thread.load(ordering: .relaxed) == UInt(pthread_self())
    }

    /// Traps unless this is the loop's thread.
    package func preconditionCurrent() {
        precondition(isCurrent, "used outside the thread of its event loop")
    }

    /// Monotonic milliseconds, as of the beginning of this turn.
    package var now: UInt64 { uv_now(uv) }

    /// Makes the loop look at its mailbox soon.
    func wakeUp() {
        var one: UInt64 = 1
        // A full counter (EAGAIN) means that it is awake already.
        _ = write(wakeDescriptor, &one, 8)
    }

    /// Keeps the loop from sleeping while work is left over.
    func setBusy(_ busy: Bool) {
        if busy { uv_idle_start(idle.pointer) { _ in } } else { uv_idle_stop(idle.pointer) }
    }

    private func clearWake() {
        var count: UInt64 = 0
        _ = read(wakeDescriptor, &count, 8)
    }

    /// Closes what is open and gives the loop's memory back.
    private func tearDown() {
        mailbox.close()
        dropNextTurn()
        let own = [UnsafeMutableRawPointer(wake.pointer), .init(prepare.pointer), .init(idle.pointer)]
        for handle in openHandles where !own.contains(handle) {
            let data = handle.assumingMemoryBound(to: uv_handle_t.self).pointee.data
            (owner(data, as: AnyObject.self) as? any LoopResource)?.close()
        }
        wake.close()
        prepare.close()
        idle.close()
        finish()
    }

    /// Runs the close callbacks and frees.
    private func finish() {
        isTornDown = true
        uv_run(uv, UV_RUN_DEFAULT)
        dropNextTurn()
        let result = uv_loop_close(uv)
        assert(result == 0, "an event loop ended with open handles")
        uv.deallocate()
        readBuffer.deallocate()
        Glibc.close(wakeDescriptor)
    }

    private func dropNextTurn() {
        var work: [() -> Void] = []
        swap(&work, &nextTurn)
    }

    private var openHandles: [UnsafeMutableRawPointer] {
        var handles: [UnsafeMutableRawPointer] = []
        withUnsafeMutablePointer(to: &handles) { list in
            uv_walk(
                uv,
                { handle, list in
                    guard let handle, let list, uv_is_closing(handle) == 0 else { return }
                    list.assumingMemoryBound(to: [UnsafeMutableRawPointer].self).pointee.append(.init(handle))
                },
                list
            )
        }
        return handles
    }
}

/// The Swift object of a libuv loop.
func eventLoop(_ uv: UnsafeMutablePointer<uv_loop_t>?) -> EventLoop? {
    owner(uv?.pointee.data, as: EventLoop.self)
}

/// A free function, because a closure written in isolated code would carry that isolation to the new thread and trap.
private func eventLoopThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    let loop = Unmanaged<EventLoop>.fromOpaque(context).takeRetainedValue()
    gatehouse_name_thread(loop.name)
    loop.run()
    return nil
}
