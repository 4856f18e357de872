// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import EventLoop
import JSON
import JSONRPC
import MCPCore

/// What the server says outside of answers.
extension LegacyServerBridge: ConversationListener {
    func received(_ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        guard message.method == .logMessage else { return listens.received(message, bytes) }
        // A log message names no call: with more than one at the server, it is anyone's, so it is nobody's.
        guard knowsCallers, let key = machine.onlyRunning, let call = calls[key], let outer = call.outer,
            let wanted = call.level, let level = Bridging.level(of: message, bytes)
        else { return child.context.drop(Upstream.DropReason.ambiguousLog.rawValue) }
        if level >= wanted { outer.caller.notice(message, bytes, for: outer) }
    }

    func asked(_ number: Int, _ message: Message, _ bytes: Span<UInt8>, suspect: SuspectedCall?) {
        guard knowsCallers else {
            // Whatever its callers declared, it was told of nothing: it does not know whom it would ask.
            let text = "A server that is shared by all may ask nobody"
            return child.refuse(number, Failure(.methodNotFound, text, source: .client))
        }
        let slice = message.envelope.params
        let params = slice.isPresent ? try? JSONValue(bytes.extracting(slice.range)) : .object([])
        guard let params else {
            let failure = Failure(.invalidParams, "The parameters cannot be read", source: .upstream)
            return child.refuse(number, failure)
        }
        perform(
            machine.asked(number, message.method, params, declared: capabilities, at: loop.now)
        )
    }

    func withdrew(_ number: Int, _ message: Message, _ bytes: Span<UInt8>) {
        machine.withdrew(number)
    }

    /// The server died; one that takes its place knows neither levels nor subscriptions.
    func interrupted() {
        levels.reset()
        watched = [:]
        isReady = false
        guard case .done = greeting, !listens.uris.isEmpty else { return }
        // Not at once, and later each time: it may not be possible to start it.
        watchDelay = min(max(watchDelay &* 2, 1_000), 60_000)
        nextWatch = loop.now &+ watchDelay
    }

    func gaveUp() {}

    // MARK: Subscriptions

    /// Asks the server for all that the principal's listens want; a process that is down is started for it.
    func watchAgain() {
        nextWatch = nil
        guard case .done = greeting else { return }
        for uri in listens.uris { watch(uri) { _ in } }
    }

    /// Asks the server to tell of changes of a resource, unless it was asked; calls back whether it will.
    func watch(_ uri: String, _ completion: @escaping (Bool) -> Void) {
        guard case .done = greeting, serverCapabilities?["resources"]?["subscribe"]?.bool == true else {
            return completion(false)
        }
        let key = Array(uri.utf8)
        if let known = watched[key] { return known.whenAnswered(completion) }
        let watch = ResourceWatch()
        watched[key] = watch
        watch.whenAnswered(completion)
        do throws(Failure) {
            try send(Bridging.request(.subscribe, ["uri": .string(uri)])) { [weak self] outcome in
                if case .success = outcome {
                    self?.watchDelay = 0
                    return watch.answered(true)
                }
                self?.refused(watch, key)
            }
        } catch {
            refused(watch, key)
        }
    }

    private func refused(_ watch: ResourceWatch, _ key: [UInt8]) {
        // One that was begun since, for the same resource, stays.
        if watched[key] === watch { watched[key] = nil }
        watch.answered(false)
    }

    /// Nobody wants to know of a resource any more.
    func unwatch(_ uri: String) {
        guard watched.removeValue(forKey: Array(uri.utf8)) != nil else { return }
        try? send(Bridging.request(.unsubscribe, ["uri": .string(uri)])) { _ in }
    }
}

/// That a server was asked to tell of changes of a resource, and what it said.
final class ResourceWatch {
    /// Whether it will; nil while the answer is awaited.
    private var answer: Bool?
    private var waiting: [(Bool) -> Void] = []

    /// Calls back what the server said, at once if that is known.
    func whenAnswered(_ completion: @escaping (Bool) -> Void) {
        if let answer { completion(answer) } else { waiting.append(completion) }
    }

    func answered(_ isHonoured: Bool) {
        answer = isHonoured
        let waiting = waiting
        self.waiting = []
        for completion in waiting { completion(isHonoured) }
    }
}
