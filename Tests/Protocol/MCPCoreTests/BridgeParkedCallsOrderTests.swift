// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

/// Random orders of everything that can happen, against what must always hold.
@Suite struct BridgeParkedCallsOrderTests {
    /// What an owner of the machine would know.
    private struct Owner {
        var machine: ParkedCalls
        let isExclusive: Bool
        /// Calls whose caller waits.
        var present: Set<Int> = []
        /// Calls that the server works on, and those of them that take up the turn.
        var atServer: Set<Int> = []
        var turn: Set<Int> = []
        var asking: Set<Int> = []
        /// Calls that were given up and of which the server may not have read so.
        var draining: Set<Int> = []
        /// Questions that the server waits for.
        var open: Set<Int> = []
        var states: [Int: (key: Int, questions: [ParkedCalls.Question], since: UInt64)] = [:]
        var now: UInt64 = 0
        var usedStates: Set<Int> = []
        var faults: [String] = []

        mutating func perform(_ actions: [ParkedCalls.Action]) {
            for action in actions {
                switch action {
                case .start(let key):
                    if !present.contains(key) || !atServer.insert(key).inserted { faults.append("\(action)") }
                    take(key)
                case .resume(let key):
                    if !present.contains(key) || !atServer.contains(key) { faults.append("\(action)") }
                    take(key)
                case .ask(let key, let questions, let state):
                    if present.remove(key) == nil { faults.append("asks nobody: \(action)") }
                    if questions.isEmpty || Set(questions.map(\.key)).count != questions.count {
                        faults.append("keys: \(action)")
                    }
                    if !open.isSuperset(of: questions.map(\.number)) { faults.append("closed: \(action)") }
                    if !usedStates.insert(state).inserted { faults.append("state: \(action)") }
                    states = states.filter { $0.value.key != key }
                    states[state] = (key, questions, now)
                    turn.remove(key)
                case .answer(let number, _), .refuse(let number, _):
                    if open.remove(number) == nil { faults.append("answered twice: \(action)") }
                case .deliver(let key), .fail(let key, _):
                    if present.remove(key) == nil { faults.append("tells nobody: \(action)") }
                    leave(key)
                case .cancel(let key):
                    present.remove(key)
                    leave(key)
                case .keep(let key):
                    if present.contains(key) { faults.append("keeps though it is there: \(action)") }
                    atServer.remove(key)
                    turn.remove(key)
                case .drain(let key):
                    if !draining.insert(key).inserted { faults.append("\(action)") }
                    turn.insert(key)
                case .replace: break
                case .forget(let key):
                    atServer.remove(key)
                    states = states.filter { $0.value.key != key }
                }
                if isExclusive, turn.count > 1 { faults.append("two have the turn: \(turn)") }
            }
        }

        mutating func drain(_ key: Int) {
            draining.remove(key)
            turn.remove(key)
            perform(machine.drained(key))
        }

        private mutating func take(_ key: Int) {
            if asking.contains(key) { turn.insert(key) }
        }

        private mutating func leave(_ key: Int) {
            atServer.remove(key)
            turn.remove(key)
            states = states.filter { $0.value.key != key }
        }
    }

    @Test(arguments: 0..<300)
    func `whatever comes in whatever order, nobody is forgotten and nothing is said twice`(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        var limits = ParkedCalls.Limits()
        limits.queued = 3
        limits.parked = 3
        limits.questions = 3
        limits.patience = 200
        let isExclusive = seed % 10 != 0
        var owner = Owner(machine: ParkedCalls(mayAsk: isExclusive, limits: limits), isExclusive: isExclusive)
        var now: UInt64 = 0
        var nextKey = 0
        var nextNumber = 1
        for _ in 0..<200 {
            step(&owner, &numbers, now: &now, nextKey: &nextKey, nextNumber: &nextNumber)
            #expect(owner.faults == [])
            if !owner.faults.isEmpty { return }
        }
        // All calls end: the server answers, callers that are away do not come back.
        settleAll(&owner)
        for key in owner.present.sorted() where owner.present.contains(key) {
            owner.perform(owner.machine.cancel(key))
            owner.present.remove(key)
            settleAll(&owner)
        }
        now += 100_000
        owner.perform(owner.machine.tick(at: now))
        settleAll(&owner)
        #expect(owner.faults == [])
        #expect(owner.machine.count == 0)
        #expect(owner.open.isEmpty)
        #expect(owner.machine.nextDeadline == nil)
        #expect(!owner.machine.isBusy && !owner.machine.hasParked)
    }

    private func settleAll(_ owner: inout Owner) {
        while true {
            if let key = owner.draining.min() {
                owner.drain(key)
            } else if let key = owner.atServer.min() {
                owner.perform(owner.machine.settled(key))
                owner.atServer.remove(key)
            } else {
                return
            }
        }
    }

    private func step(
        _ owner: inout Owner,
        _ numbers: inout SeededNumbers,
        now: inout UInt64,
        nextKey: inout Int,
        nextNumber: inout Int
    ) {
        switch Int.random(in: 0..<13, using: &numbers) {
        case 0, 1:
            let mayAsk = Int.random(in: 0..<4, using: &numbers) > 0
            nextKey += 1
            guard let actions = owner.machine.add(nextKey, mayAsk: mayAsk) else { return }
            owner.present.insert(nextKey)
            if mayAsk { owner.asking.insert(nextKey) }
            owner.perform(actions)
        case 2, 3, 4:
            let methods: [(Method, JSONValue)] = [
                (.elicit, BridgeParkedCallsTests.form), (.rootsList, .object([])), (.elicit, 5),
                (.createMessage, ["maxTokens": 1, "messages": []]),
                (
                    .elicit,
                    .object(
                        (BridgeParkedCallsTests.form.members ?? []) + [
                            .init("_meta", ["io.github.gatehouse/inputKey": "same"])
                        ]
                    )
                ),
            ]
            let (method, params) = methods[Int.random(in: 0..<methods.count, using: &numbers)]
            owner.open.insert(nextNumber)
            let declared = BridgeParkedCallsTests.declared
            owner.perform(owner.machine.asked(nextNumber, method, params, declared: declared, at: now))
            nextNumber += 1
        case 5:
            guard let number = owner.open.sorted().randomElement(using: &numbers) else { return }
            owner.open.remove(number)
            owner.machine.withdrew(number)
        case 6:
            guard let key = owner.atServer.sorted().randomElement(using: &numbers) else { return }
            owner.perform(owner.machine.settled(key))
        case 7:
            guard let key = owner.present.sorted().randomElement(using: &numbers) else { return }
            let wasAtServer = owner.atServer.contains(key)
            let actions = owner.machine.cancel(key)
            #expect(!actions.contains(.cancel(key)) || wasAtServer)
            owner.present.remove(key)
            owner.perform(actions)
        case 8:
            guard let key = owner.draining.sorted().randomElement(using: &numbers) else { return }
            owner.drain(key)
        case 9, 10:
            retry(&owner, &numbers, now: now)
        default:
            now += UInt64.random(in: 0..<50, using: &numbers)
            owner.now = now
            owner.perform(owner.machine.tick(at: now))
        }
    }

    private func retry(_ owner: inout Owner, _ numbers: inout SeededNumbers, now: UInt64) {
        let used = owner.usedStates.sorted().randomElement(using: &numbers)
        guard let state = owner.states.keys.sorted().randomElement(using: &numbers) ?? used else { return }
        let known = owner.states[state]
        var answers: [JSONValue.Member] = []
        for question in known?.questions ?? [] {
            switch Int.random(in: 0..<6, using: &numbers) {
            case 0: break
            case 1: answers.append(.init(question.key, "no answer"))
            default:
                let roots: JSONValue = ["roots": []]
                answers.append(
                    .init(question.key, question.method == .elicit ? ["action": "decline"] : roots)
                )
            }
        }
        switch owner.machine.retry(state, answers, at: now) {
        case .refused:
            let isMalformed = answers.contains { $0.value == "no answer" }
            // One whose time is over may still wait for its turn to be given up.
            let isLate = known.map { now >= $0.since + 200 } ?? true
            #expect(isLate || isMalformed)
        case .taken(let key, let actions):
            #expect(known?.key == key)
            owner.states[state] = nil
            owner.present.insert(key)
            owner.perform(actions)
        }
    }
}
