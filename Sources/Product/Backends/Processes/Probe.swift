// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Children
import Configuration
import EventLoop
import JSON
import JSONRPC
import MCPCore
import StdioFraming

/// Finds out once what a command speaks, in throw-away children (2026-07-28, stdio, "Detecting the era").
///
/// One child is asked `server/discover`, another `initialize`: some servers of the legacy era end at anything else before
/// it, and a server that was asked one way may refuse the other. Both are spoken to in lines; if neither has answered after
/// two seconds, a second pair is spoken to with `Content-Length` beside them, and the pair that answers first decides.
/// Once one of a pair has answered, the other has three seconds left. What the configuration states is not asked.
final class Probe: ServerProbe {
    /// Milliseconds after a child's first sign of life in which it must answer.
    static let patience: UInt64 = 5_000
    /// Milliseconds that a child has left once its sister, asked in the other era, has answered.
    static let lastChance: UInt64 = 3_000
    /// Milliseconds after which silence makes the other framing worth a try.
    static let secondTry: UInt64 = 2_000

    private let supply: ChildSupply
    private let context: ServerContext
    private var completion: ((Result<ServerFinding, Failure>) -> Void)?
    private var framings: [Framing]
    private let eras: [Era]
    /// The children of each framing that was tried.
    private var asked: [[ProbeChild]] = []
    private var timer: LoopTimer?

    init(
        _ supply: ChildSupply,
        _ context: ServerContext,
        completion: @escaping (Result<ServerFinding, Failure>) -> Void
    ) {
        self.supply = supply
        self.context = context
        self.completion = completion
        let server = context.server
        framings =
            switch server.framing {
            case .auto: [.newline, .contentLength]
            case .newline: [.newline]
            case .contentLength: [.contentLength]
            }
        eras =
            switch server.era {
            case .auto, .dual: [.modern, .legacy]
            case .legacy: [.legacy]
            case .modern: [.modern]
            }
    }

    func start() {
        if eras == [.legacy], framings.count == 1 {
            // All is stated, and a legacy server has nothing else that must be known.
            let traits = ServerTraits(framing: framings[0], eras: [.legacy])
            return finish(.success(ServerFinding(traits: traits, isCertain: true)))
        }
        timer = LoopTimer(context.loop) { [weak self] in self?.ask() }
        ask()
    }

    func abandon() {
        finish(.failure(.stopping))
    }

    /// Tries the next framing, if there is one.
    private func ask() {
        guard completion != nil, !framings.isEmpty else { return }
        let framing = framings.removeFirst()
        let children = eras.map {
            ProbeChild(supply, context, era: $0, framing: framing) { [weak self] in self?.heard() }
        }
        asked.append(children)
        if !framings.isEmpty { timer?.schedule(after: Self.secondTry) }
        for child in children { child.start() }
    }

    /// A child has given its verdict.
    private func heard() {
        guard completion != nil else { return }
        // Children that answered, or refused to, understand their framing; their sisters are waited for.
        for children in asked where children.contains(where: \.verdict.isAnswer) {
            if children.allSatisfy({ $0.verdict != .none }) { return decide(children) }
            for child in children { child.hurry() }
            return
        }
        guard asked.allSatisfy({ $0.allSatisfy { $0.verdict != .none } }) else { return }
        if asked.allSatisfy({ $0.contains { $0.verdict == .silent } }), !framings.isEmpty { return ask() }
        giveUp()
    }

    private func decide(_ children: [ProbeChild]) {
        var traits = ServerTraits(framing: children[0].framing, eras: [])
        for child in children where child.verdict == .speaks {
            traits.eras.insert(child.era)
            traits.learn(child.tools)
        }
        if context.server.era == .dual { traits.eras = [.legacy, .modern] }
        guard !traits.eras.isEmpty else { return giveUp() }
        finish(.success(ServerFinding(traits: traits, isCertain: true)))
    }

    private func giveUp() {
        for child in asked.joined() {
            if case .failed(let failure) = child.verdict { return finish(.failure(failure)) }
        }
        // Slow or strange: most servers speak lines, and all that are older than the modern era speak the legacy one.
        let framing: Framing = context.server.framing == .contentLength ? .contentLength : .newline
        let eras: Set<Era> = self.eras == [.modern] ? [.modern] : [.legacy]
        finish(.success(ServerFinding(traits: ServerTraits(framing: framing, eras: eras), isCertain: false)))
    }

    private func finish(_ result: Result<ServerFinding, Failure>) {
        guard let completion else { return }
        self.completion = nil
        timer?.close()
        for child in asked.joined() { child.stop() }
        completion(result)
    }
}

/// One throw-away child, asked in one era.
private final class ProbeChild: ServerLinkDelegate {
    enum Verdict: Equatable {
        /// It has not said anything yet.
        case none
        /// It answered as a server of this era does.
        case speaks
        /// It answered otherwise, or ended.
        case refuses
        /// It lives, and does not answer.
        case silent
        /// It could not be started, or did not live long enough to be asked.
        case failed(Failure)

        /// Whether the child understood what it was sent.
        var isAnswer: Bool { self == .speaks || self == .refuses }
    }

    let era: Era
    let framing: Framing
    private(set) var verdict = Verdict.none
    /// The tools that the server lists.
    private(set) var tools: [JSONValue] = []
    private let supply: ChildSupply
    private let context: ServerContext
    private let onVerdict: () -> Void
    private var link: ChildLink?
    private var timer: LoopTimer?
    private var showsLife = false
    private var isHurried = false
    /// Pages of tools that may still be asked for, so that a server cannot hold the probe.
    private var pagesLeft = 20

    init(
        _ supply: ChildSupply,
        _ context: ServerContext,
        era: Era,
        framing: Framing,
        onVerdict: @escaping () -> Void
    ) {
        self.supply = supply
        self.context = context
        self.era = era
        self.framing = framing
        self.onVerdict = onVerdict
    }

    func start() {
        timer = LoopTimer(context.loop) { [weak self] in self?.conclude(.silent) }
        timer?.schedule(after: context.server.startTimeout.wholeMilliseconds)
        supply.spawn(framing, nil) { [weak self] result in
            guard let self, self.verdict == .none else {
                if case .success(let link) = result { link.stop() }
                return
            }
            switch result {
            case .failure(let failure): self.conclude(.failed(failure))
            case .success(let link):
                self.link = link
                link.delegate = self
                self.ask()
            }
        }
    }

    func stop() {
        timer?.close()
        if verdict == .none { verdict = .silent }
        link?.stop()
        link = nil
    }

    /// Waits no longer than for a last moment.
    func hurry() {
        guard verdict == .none, !isHurried else { return }
        isHurried = true
        timer?.schedule(after: Probe.lastChance)
    }

    private func conclude(_ found: Verdict) {
        guard verdict == .none else { return }
        timer?.cancel()
        verdict = found
        onVerdict()
    }

    private func ask() {
        switch era {
        case .modern:
            send(method: "server/discover", id: 1, params: ["_meta": GatewayIdentity.modernMeta])
        case .legacy:
            send(
                method: "initialize",
                id: 1,
                params: [
                    "protocolVersion": .string(Revision.latestLegacy.rawValue), "capabilities": .object([]),
                    "clientInfo": GatewayIdentity.implementation,
                ]
            )
        }
    }

    private func send(method: String, id: Int, params: JSONValue) {
        let message: JSONValue = [
            "jsonrpc": "2.0", "id": .number(String(id)), "method": .string(method), "params": params,
        ]
        let text = message.text()
        link?.send(text.span)
    }

    private func listTools(cursor: JSONValue?) {
        var params: [JSONValue.Member] = [.init("_meta", GatewayIdentity.modernMeta)]
        if let cursor { params.append(.init("cursor", cursor)) }
        send(method: "tools/list", id: 2, params: .object(params))
    }

    // MARK: What it says

    private func noteLife() {
        guard !showsLife, !isHurried else { return }
        showsLife = true
        timer?.schedule(after: Probe.patience)
    }

    func linkReceived(_ bytes: Span<UInt8>) {
        noteLife()
        if verdict == .none { receive(bytes) }
    }

    func linkShowsLife() {
        noteLife()
    }

    func linkLost(call id: Int, _ failure: Failure) {}

    func linkEnded(_ failure: Failure) {
        link = nil
        // What says too much at once is not what was asked for.
        guard let exit = failure.data?["exit"]?.string else { return conclude(.refuses) }
        var failure = failure
        failure.message = "The server ended when it was started (\(exit))"
        conclude(.failed(failure))
    }

    private func receive(_ bytes: Span<UInt8>) {
        guard let value = try? JSONValue(bytes), let id = value["id"]?.integer else { return }
        if id == 2 { return receiveTools(value) }
        guard id == 1 else { return }
        let result = value["result"]
        switch era {
        case .modern:
            let versions = result?["supportedVersions"]?.array?.compactMap(\.string) ?? []
            guard versions.contains(where: { $0.utf8.elementsEqual(Revision.modern.rawValue.utf8) }) else {
                return conclude(.refuses)
            }
            // The server is what was asked for; its tools only tell which headers mirror which arguments.
            guard result?["capabilities"]?["tools"] != nil else { return conclude(.speaks) }
            listTools(cursor: nil)
        case .legacy:
            let version = result?["protocolVersion"]?.string
            conclude(version.flatMap { Revision(bytes: $0.utf8) }?.era == .legacy ? .speaks : .refuses)
        }
    }

    private func receiveTools(_ value: JSONValue) {
        tools += value["result"]?["tools"]?.array ?? []
        pagesLeft -= 1
        if let cursor = value["result"]?["nextCursor"], cursor != .null, pagesLeft > 0 {
            listTools(cursor: cursor)
        } else {
            conclude(.speaks)
        }
    }
}
