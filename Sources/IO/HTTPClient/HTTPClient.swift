// Gatehouse. SPDX-License-Identifier: MIT

import CCurl
package import Egress
package import EventLoop
import Glibc

/// An HTTP client on one loop: libcurl's multi interface, driven by the loop's descriptors and one timer.
///
/// Requests share connections. There are no proxies, no redirects and no protocols but `http` and `https`, and each request
/// reaches only what the rules let it reach: its URL is asked about before anything is looked up, each address before it is
/// connected to, and the address of a connection that is used again before it is used. It ends with `close`, which gives
/// up what is under way without a word to the delegates. Loop thread only.
package final class HTTPClient {
    /// The loop that it lives on.
    package let loop: EventLoop
    /// What requests may reach, from now on.
    package var egress: EgressRules
    private var multi: UnsafeMutableRawPointer?
    private var transfers: [UnsafeMutableRawPointer: HTTPTransfer] = [:]
    private var watchers: [Int32: DescriptorWatcher] = [:]
    private var timer: LoopTimer?
    /// How many calls into libcurl are on the stack: most of its functions must not be called again within them.
    private var depth = 0
    private var isClosed = false

    /// The file of the authorities that are trusted, where the environment names another than the system's.
    static let authorities = getenv("SSL_CERT_FILE").map { String(cString: $0) }.flatMap {
        $0.isEmpty ? nil : $0
    }

    private static let isReady = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Makes a client without connections.
    package init(_ loop: EventLoop, egress: EgressRules) throws(HTTPClientFailure) {
        loop.preconditionCurrent()
        self.loop = loop
        self.egress = egress
        guard Self.isReady, let multi = curl_multi_init() else {
            throw HTTPClientFailure(.broken, "libcurl cannot be started")
        }
        self.multi = multi
        timer = LoopTimer(loop) { [weak self] in self?.act(CURL_SOCKET_TIMEOUT, 0) }
        let context = Unmanaged.passUnretained(self).toOpaque()
        gatehouse_curl_multi_set_pointer(multi, CURLMOPT_SOCKETDATA, context)
        gatehouse_curl_multi_set_pointer(multi, CURLMOPT_TIMERDATA, context)
        gatehouse_curl_multi_set_on_socket(multi) { _, descriptor, what, context, _ in
            client(context)?.watch(descriptor, what)
            return 0
        }
        gatehouse_curl_multi_set_on_timer(multi) { _, milliseconds, context in
            client(context)?.schedule(milliseconds)
            return 0
        }
    }

    deinit {
        tearDown()
    }

    /// Sends a request.
    ///
    /// Throws if the request cannot or must not be sent as it is; everything else is told to the delegate, later.
    @discardableResult
    package func start(
        _ request: HTTPRequest,
        delegate: any HTTPResponseDelegate
    ) throws(HTTPClientFailure) -> HTTPTransfer {
        guard !isClosed else { throw HTTPClientFailure(.broken, "the client is closed") }
        let transfer = try HTTPTransfer(request, delegate, self)
        guard let easy = transfer.easy else { return transfer }
        transfers[easy] = transfer
        afterCallbacks { [weak self] in self?.add(transfer) }
        return transfer
    }

    /// Gives up all requests, and closes the connections.
    package func close() {
        guard !isClosed else { return }
        isClosed = true
        for transfer in transfers.values { transfer.detach() }
        // libcurl must not be torn down by a callback of its own.
        if depth == 0 { tearDown() } else { loop.onNextTurn { self.tearDown() } }
    }

    /// Does something once no function of libcurl is on the stack.
    func afterCallbacks(_ work: @escaping () -> Void) {
        loop.onNextTurn(work)
    }

    /// Calls libcurl.
    func inside(_ call: () -> Void) {
        depth += 1
        call()
        depth -= 1
    }

    /// Takes a transfer out before its end.
    func remove(_ transfer: HTTPTransfer) {
        guard let easy = transfer.easy, let multi, transfers[easy] != nil else { return }
        inside { _ = curl_multi_remove_handle(multi, easy) }
        transfers[easy] = nil
    }

    private func add(_ transfer: HTTPTransfer) {
        guard let easy = transfer.easy, let multi, transfers[easy] != nil else { return }
        inside { _ = curl_multi_add_handle(multi, easy) }
    }

    private func tearDown() {
        guard let multi = multi.take() else { return }
        gatehouse_curl_multi_set_on_socket(multi, nil)
        gatehouse_curl_multi_set_on_timer(multi, nil)
        for watcher in watchers.values { watcher.close() }
        watchers = [:]
        timer = nil
        for easy in transfers.keys { curl_multi_remove_handle(multi, easy) }
        transfers = [:]
        curl_multi_cleanup(multi)
    }

    // MARK: Driving libcurl

    private func watch(_ descriptor: Int32, _ what: Int32) {
        let events: DescriptorWatcher.Events =
            switch what {
            case CURL_POLL_IN: .readable
            case CURL_POLL_OUT: .writable
            case CURL_POLL_INOUT: [.readable, .writable]
            default: []
            }
        guard !events.isEmpty else {
            watchers.removeValue(forKey: descriptor)?.close()
            return
        }
        if let watcher = watchers[descriptor] { return watcher.update(events) }
        // Without a watcher the transfer waits for its time-out, which is what a lack of memory deserves.
        watchers[descriptor] = try? DescriptorWatcher(loop, descriptor: descriptor, events: events) {
            [weak self] events in
            var action: Int32 = 0
            if events.contains(.readable) { action |= CURL_CSELECT_IN }
            if events.contains(.writable) { action |= CURL_CSELECT_OUT }
            self?.act(descriptor, action)
        }
    }

    private func schedule(_ milliseconds: Int) {
        guard milliseconds >= 0 else { return timer?.cancel() ?? () }
        timer?.schedule(after: UInt64(milliseconds))
    }

    private func act(_ descriptor: Int32, _ action: Int32) {
        guard let multi else { return }
        var running: Int32 = 0
        inside { _ = curl_multi_socket_action(multi, descriptor, action, &running) }
        collect()
    }

    /// Ends the transfers that libcurl is done with.
    private func collect() {
        var left: Int32 = 0
        // A delegate may close the client.
        while let multi, let message = curl_multi_info_read(multi, &left) {
            guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle else {
                continue
            }
            let code = message.pointee.data.result
            inside { _ = curl_multi_remove_handle(multi, easy) }
            transfers.removeValue(forKey: easy)?.finish(code)
        }
    }
}

private func client(_ context: UnsafeMutableRawPointer?) -> HTTPClient? {
    context.map { Unmanaged<HTTPClient>.fromOpaque($0).takeUnretainedValue() }
}
