// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct BridgeSessionListenTests {
    private static let lost = Failure(.internalError, "lost", source: .upstream)

    private func filter(_ uris: [String], tools: Bool = false) -> ListenFilter {
        var filter = ListenFilter()
        filter.tools = tools
        filter.uris = uris
        return filter
    }

    private func kinds(_ actions: [SessionListen.Action]) -> [String] {
        actions.map { action in
            switch action {
            case .open(let key, let filter): "open \(key) \(filter.tools ? "tools" : "") \(filter.uris)"
            case .close(let key): "close \(key)"
            case .confirm(let request): "confirm \(request)"
            case .refuse(let request, let failure): "refuse \(request) \(failure.code.value)"
            }
        }
    }

    /// One whose listen 1, for these resources, is in force.
    private func listening(_ uris: [String]) -> SessionListen {
        var listen = SessionListen()
        _ = listen.start(tools: true, prompts: false, resources: false)
        _ = listen.acknowledged(1, filter([], tools: true))
        for (index, uri) in uris.enumerated() {
            _ = listen.subscribe(uri, request: 100 + index)
            _ = listen.acknowledged(2 + index, filter(Array(uris.prefix(index + 1)), tools: true))
        }
        return listen
    }

    @Test func `the lists that a server tells of are listened to from the start`() {
        var listen = SessionListen()
        #expect(kinds(listen.start(tools: true, prompts: false, resources: false)) == ["open 1 tools []"])
        #expect(listen.start(tools: true, prompts: false, resources: false) == [])
        #expect(listen.acknowledged(1, filter([], tools: true)) == [])
        #expect(!listen.isLost)
    }

    @Test func `a server that tells of nothing is not listened to`() {
        var listen = SessionListen()
        #expect(listen.start(tools: false, prompts: false, resources: false) == [])
        #expect(!listen.isLost)
        #expect(listen.reopen() == [])
    }

    @Test func `a handshake that ends after a subscription still listens to the lists`() {
        var listen = SessionListen()
        #expect(kinds(listen.subscribe("u", request: 1)) == [#"open 1  ["u"]"#])
        #expect(listen.start(tools: true, prompts: false, resources: false) == [])
        #expect(kinds(listen.acknowledged(1, filter(["u"]))) == ["confirm 1", #"open 2 tools ["u"]"#])
        #expect(kinds(listen.acknowledged(2, filter(["u"], tools: true))) == ["close 1"])
    }

    @Test func `a change opens the next listen and ends the old one when it is in force`() {
        var listen = listening([])
        #expect(kinds(listen.subscribe("u", request: 1)) == [#"open 2 tools ["u"]"#])
        #expect(kinds(listen.acknowledged(2, filter(["u"], tools: true))) == ["close 1", "confirm 1"])
        #expect(kinds(listen.unsubscribe("u", request: 2)) == ["open 3 tools []"])
        #expect(kinds(listen.acknowledged(3, filter([], tools: true))) == ["close 2", "confirm 2"])
        #expect(listen.uris == [])
    }

    @Test func `changes that come meanwhile are gathered for the one after`() {
        var listen = listening([])
        _ = listen.subscribe("a", request: 1)
        #expect(listen.subscribe("b", request: 2) == [])
        #expect(listen.unsubscribe("a", request: 3) == [])
        #expect(listen.subscribe("c", request: 4) == [])
        #expect(
            kinds(listen.acknowledged(2, filter(["a"])))
                == ["close 1", "confirm 1", #"open 3 tools ["b", "c"]"#]
        )
        #expect(
            kinds(listen.acknowledged(3, filter(["b", "c"])))
                == ["close 2", "confirm 2", "confirm 3", "confirm 4"]
        )
    }

    @Test func `who asks again for what is being asked for needs no listen of its own`() {
        var listen = listening([])
        _ = listen.subscribe("u", request: 1)
        #expect(listen.subscribe("u", request: 2) == [])
        #expect(kinds(listen.acknowledged(2, filter(["u"]))) == ["close 1", "confirm 1", "confirm 2"])
        #expect(kinds(listen.subscribe("u", request: 3)) == ["confirm 3"])
    }

    @Test func `what is in force stays so while something else changes`() {
        var listen = listening(["u"])
        _ = listen.subscribe("v", request: 1)
        #expect(kinds(listen.subscribe("u", request: 2)) == ["confirm 2"])
        #expect(kinds(listen.ended(3, Self.lost)) == ["refuse 1 -32603"])
        #expect(listen.uris == ["u"])
        #expect(!listen.isLost)
    }

    @Test func `what the server does not honour is refused, also for those who asked meanwhile`() {
        var listen = SessionListen()
        _ = listen.subscribe("u", request: 1)
        _ = listen.unsubscribe("u", request: 2)
        _ = listen.subscribe("u", request: 3)
        let actions = kinds(listen.acknowledged(1, filter([])))
        #expect(actions.prefix(2) == ["refuse 1 -32602", "refuse 3 -32602"])
        #expect(actions.dropFirst(2) == ["close 1", "confirm 2"])
        #expect(listen.uris == [])
    }

    @Test func `what the server claims to honour unasked is not listened to`() {
        var listen = listening([])
        _ = listen.subscribe("u", request: 1)
        _ = listen.acknowledged(2, filter(["u", "other"]))
        _ = listen.subscribe("v", request: 2)
        _ = listen.ended(3, Self.lost)
        #expect(listen.uris == ["u"])
    }

    @Test func `the last subscription closes the listen`() {
        var listen = SessionListen()
        _ = listen.subscribe("u", request: 1)
        _ = listen.acknowledged(1, filter(["u"]))
        #expect(kinds(listen.unsubscribe("u", request: 2)) == ["close 1", "confirm 2"])
        #expect(!listen.isLost)
        #expect(kinds(listen.subscribe("u", request: 3)) == [#"open 2  ["u"]"#])
    }

    @Test func `ending what was never begun is in force at once`() {
        var listen = SessionListen()
        #expect(kinds(listen.unsubscribe("u", request: 1)) == ["confirm 1"])
    }

    @Test func `a listen that is lost is opened again`() {
        var listen = listening(["u"])
        #expect(listen.ended(2, Self.lost) == [])
        #expect(listen.isLost)
        #expect(kinds(listen.reopen()) == [#"open 3 tools ["u"]"#])
        #expect(listen.reopen() == [])
        #expect(listen.acknowledged(3, filter(["u"])) == [])
        #expect(listen.ended(2, Self.lost) == [])
        #expect(!listen.isLost)
    }

    @Test func `the first listen that fails refuses those who waited for it`() {
        var listen = SessionListen()
        _ = listen.subscribe("u", request: 1)
        _ = listen.subscribe("v", request: 2)
        _ = listen.unsubscribe("u", request: 3)
        #expect(kinds(listen.ended(1, Self.lost)) == ["refuse 1 -32603", "refuse 2 -32603", "confirm 3"])
        #expect(listen.uris == [])
        #expect(!listen.isLost)
    }

    @Test func `the old listen may be lost while the next is opened`() {
        var listen = listening([])
        _ = listen.subscribe("u", request: 1)
        #expect(listen.ended(1, Self.lost) == [])
        #expect(!listen.isLost)
        #expect(kinds(listen.acknowledged(2, filter(["u"]))) == ["confirm 1"])
    }

    @Test func `acknowledgements and ends of other listens mean nothing`() {
        var listen = listening(["u"])
        for key in [0, 1, 2, 3, 99] { #expect(listen.acknowledged(key, filter(["x"])) == []) }
        for key in [0, 1, 99] { #expect(listen.ended(key, Self.lost) == []) }
        #expect(!listen.isLost)
    }

    @Test func `only so many requests wait, and what is refused is not subscribed to`() {
        var listen = listening(["kept"])
        _ = listen.subscribe("u", request: 0)
        for number in 1..<128 { #expect(listen.subscribe("u\(number)", request: number) == []) }
        #expect(kinds(listen.subscribe("more", request: 128)) == ["refuse 128 -32603"])
        #expect(kinds(listen.unsubscribe("kept", request: 129)) == ["refuse 129 -32603"])
        #expect(!listen.uris.contains("more"))
        #expect(listen.uris.contains("kept"))
    }

    @Test func `only so many resources are subscribed to`() {
        var listen = SessionListen()
        _ = listen.subscribe("u0", request: 0)
        _ = listen.acknowledged(1, filter(["u0"]))
        var key = 2
        for number in 1..<ListenFilter.uriLimit {
            _ = listen.subscribe("u\(number)", request: number)
            guard number % 100 == 0 || number == ListenFilter.uriLimit - 1 else { continue }
            // What came while a listen was opened goes into the one after it.
            for _ in 0..<2 {
                _ = listen.acknowledged(key, filter(listen.uris))
                key += 1
            }
        }
        #expect(kinds(listen.subscribe("more", request: -1)) == ["refuse -1 -32602"])
        #expect(kinds(listen.subscribe("u7", request: -2)) == ["confirm -2"])
        #expect(listen.uris.count == ListenFilter.uriLimit)
    }

    @Test(arguments: 0..<200)
    func `in any order, each request is told once, and what was confirmed is listened to`(_ seed: Int) {
        var numbers = SeededNumbers(seed: UInt64(seed))
        var listen = SessionListen()
        var open: [Int: ListenFilter] = [:]
        var waiting: [Int: (uri: String, isOn: Bool)] = [:]
        var told: Set<Int> = []
        var next = 1
        func perform(_ actions: [SessionListen.Action]) {
            for action in actions {
                switch action {
                case .open(let key, let filter):
                    #expect(!filter.isEmpty && open[key] == nil)
                    open[key] = filter
                case .close(let key): #expect(open.removeValue(forKey: key) != nil)
                case .confirm(let request), .refuse(let request, _):
                    #expect(told.insert(request).inserted)
                    waiting[request] = nil
                }
            }
            #expect(open.count <= 2)
        }
        for _ in 0..<150 {
            switch Int.random(in: 0..<8, using: &numbers) {
            case 0, 1, 2, 3:
                let uri = "u\(Int.random(in: 0..<4, using: &numbers))"
                let isOn = Bool.random(using: &numbers)
                waiting[next] = (uri, isOn)
                perform(isOn ? listen.subscribe(uri, request: next) : listen.unsubscribe(uri, request: next))
                next += 1
            case 4, 5:
                guard let key = open.keys.max(), var filter = open[key] else { continue }
                if Int.random(in: 0..<4, using: &numbers) == 0, !filter.uris.isEmpty {
                    filter.uris.removeLast()
                }
                perform(listen.acknowledged(key, filter))
            case 6:
                guard let key = open.keys.sorted().randomElement(using: &numbers) else { continue }
                open[key] = nil
                perform(listen.ended(key, Self.lost))
            default:
                perform(listen.reopen())
            }
            if !waiting.isEmpty { #expect(!open.isEmpty) }
        }
        while let key = open.keys.max(), !waiting.isEmpty {
            perform(listen.acknowledged(key, open[key] ?? ListenFilter()))
        }
        #expect(waiting.isEmpty)
        perform(listen.reopen())
        guard let last = open.keys.max() else { return #expect(listen.uris.isEmpty) }
        #expect(open[last]?.uris.sorted() ?? [] == listen.uris.sorted() || open.count == 1)
    }
}
