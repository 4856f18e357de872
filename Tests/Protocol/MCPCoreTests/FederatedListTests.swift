// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

/// A list that is being gathered.
private final class Gathered {
    var list: FederatedList

    init(_ kind: FederatedKind, bounds: FederatedList.Bounds = .init()) {
        list = FederatedList(kind, bounds: bounds)
    }
}

/// A listen that is told what happens.
private final class Listening {
    private var machine: FederatedListening

    init(_ wanted: ListenFilter, asking members: Set<Int>) {
        machine = FederatedListening(wanted, asking: members)
    }

    func acknowledged(_ member: Int, _ filter: ListenFilter) -> [FederatedListening.Action] {
        machine.acknowledged(member, filter)
    }

    func ended(_ member: Int) -> [FederatedListening.Action] { machine.ended(member) }
    func expired() -> [FederatedListening.Action] { machine.expired() }
    func told() -> FederatedListening.Course { machine.told() }
}

@Suite("Federated lists")
struct FederatedListTests {
    private func page(_ gathered: Gathered, _ result: String) throws -> String? {
        let line = try Line(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#)
        return gathered.list.add(line.message, line.bytes.span).map { String(decoding: $0, as: UTF8.self) }
    }

    private func keys(_ gathered: Gathered) -> [String] {
        gathered.list.items.map { String(decoding: $0.key, as: UTF8.self) }
    }

    @Test func `pages are gathered with their cursors, and elements keep their text`() throws {
        let list = Gathered(.tools)
        let next = try page(
            list,
            #"{"tools":[{"name":"a", "x":[1]},{"description":"d","name":"b\u0041"}],"nextCursor":"2"}"#
        )
        #expect(next == "2")
        #expect(try page(list, #"{"tools":[{"name":"c"}]}"#) == nil)
        #expect(keys(list) == ["a", "bA", "c"])
        #expect(String(decoding: list.list.items[0].text, as: UTF8.self) == #"{"name":"a", "x":[1]}"#)
        #expect(!list.list.isCut)
    }

    @Test func `what has no name, or is none, is left out`() throws {
        let list = Gathered(.resources)
        #expect(
            try page(list, #"{"resources":[1,{"name":"n"},{"uri":5},{"uri":"u:1"},null],"nextCursor":7}"#)
                == nil
        )
        #expect(keys(list) == ["u:1"])
        let other = Gathered(.templates)
        #expect(try page(other, #"{"resourceTemplates":{},"resources":[]}"#) == nil)
        #expect(other.list.items.isEmpty)
    }

    @Test func `what goes beyond the bounds is left out, and that is known`() throws {
        var bounds = FederatedList.Bounds()
        bounds.items = 2
        bounds.pages = 3
        let list = Gathered(.prompts, bounds: bounds)
        #expect(
            try page(list, #"{"prompts":[{"name":"a"},{"name":"b"},{"name":"c"}],"nextCursor":"2"}"#) == nil
        )
        #expect(keys(list) == ["a", "b"] && list.list.isCut)
        // A server that always has another page.
        let endless = Gathered(.prompts, bounds: bounds)
        var pages = 1
        while try page(endless, #"{"prompts":[],"nextCursor":"x"}"#) != nil { pages += 1 }
        #expect(pages == 3 && endless.list.isCut)
        bounds.bytes = 10
        let heavy = Gathered(.prompts, bounds: bounds)
        #expect(try page(heavy, #"{"prompts":[{"name":"long"}]}"#) == nil)
        #expect(heavy.list.items.isEmpty && heavy.list.isCut)
    }

    @Test func `one list has the elements of all, with new names and remarks`() throws {
        let list = Gathered(.tools)
        _ = try page(
            list,
            #"{"tools":[{"title":"name","name":"search","x":"name"},{"name":"b"}],"ttlMs":500}"#
        )
        #expect(list.list.lifetime == 500)
        var remarks = FederatedList.Remarks()
        remarks.missing = ["slow"]
        remarks.cut = ["big"]
        let items = [(list.list.items[0], Optional(Array("git_search".utf8))), (list.list.items[1], nil)]
        let text = FederatedList.response(
            .tools,
            .modern,
            items,
            remarks,
            lifetime: 5,
            server: ["name": "g", "version": "1"]
        )
        let result = try JSONValue(text.span)["result"]
        #expect(result?["resultType"] == "complete" && result?["ttlMs"]?.integer == 5)
        #expect(result?["tools"]?.array?[0] == ["title": "name", "name": "git_search", "x": "name"])
        #expect(result?["tools"]?.array?[1] == ["name": "b"])
        #expect(result?["_meta"]?["io.github.gatehouse/missing"] == ["slow"])
        #expect(result?["_meta"]?["io.github.gatehouse/outdated"] == nil)
        #expect(result?["_meta"]?["io.github.gatehouse/truncated"] == ["big"])
        let old = FederatedList.response(.tools, .legacy, items, .init(), lifetime: 5, server: .object([]))
        let plain = try JSONValue(old.span)["result"]
        #expect(plain?.members?.map(\.name) == ["tools"])
    }
}

@Suite("Federated resources")
struct FederatedResourcesTests {
    private func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    @Test func `the first server that lists a URI owns it, and keeps it`() {
        var resources = FederatedResources()
        resources.update([[], bytes(["u:1", "u:2"])])
        #expect(resources.owner(of: Array("u:1".utf8)) == 1)
        // One that comes late and stands first takes only what nobody had.
        resources.update([bytes(["u:1", "u:3"]), bytes(["u:1", "u:3"])])
        #expect(resources.owner(of: Array("u:1".utf8)) == 1)
        #expect(resources.owner(of: Array("u:3".utf8)) == 0)
        resources.update([bytes(["u:1"]), []])
        #expect(resources.owner(of: Array("u:1".utf8)) == 0)
        #expect(resources.owner(of: Array("u:2".utf8)) == nil)
    }

    @Test func `what nobody lists is looked for by templates, then everywhere`() {
        var resources = FederatedResources()
        resources.update([bytes(["file:///listed"]), [], []])
        resources.update(templates: [[], bytes(["web:{x}", "{bad"]), bytes(["file:///{name}"])])
        func candidates(_ uri: String, _ members: [Int] = [0, 1, 2]) -> [Int] {
            resources.candidates(for: Array(uri.utf8), among: members)
        }
        #expect(candidates("file:///listed") == [0])
        #expect(candidates("file:///other") == [2, 0, 1])
        #expect(candidates("web:1") == [1, 0, 2])
        #expect(candidates("none") == [0, 1, 2])
        #expect(candidates("file:///listed", [1, 2]) == [2, 1])
        #expect(candidates("none", []) == [])
        #expect(resources.owner(ofTemplate: Array("{bad".utf8)) == 1)
        #expect(resources.owner(ofTemplate: Array("other".utf8)) == nil)
    }
}

@Suite("Federated greetings")
struct FederatedGreetingTests {
    private func part(_ server: String, _ text: String?) throws -> FederatedGreeting.Part {
        .init(server: server, result: try text.map(json))
    }

    @Test func `capabilities are those of all, and every list may change`() throws {
        let parts = try [
            part("a", #"{"capabilities":{"tools":{},"resources":{"subscribe":true},"tasks":{"list":{}}}}"#),
            part("b", #"{"capabilities":{"tools":{"listChanged":false},"resources":{},"logging":{},"x":1}}"#),
        ]
        #expect(
            try FederatedGreeting.capabilities(parts)
                == json(
                    #"{"tools":{"listChanged":true},"resources":{"listChanged":true,"subscribe":true},"logging":{}}"#
                )
        )
        // One that has not answered may have any list.
        let some = try FederatedGreeting.capabilities([part("a", #"{"capabilities":{}}"#), part("b", nil)])
        #expect(some.members?.map(\.name) == ["tools", "prompts", "resources"])
    }

    @Test func `the revision is the lowest, and instructions stand under the names`() throws {
        let result = try FederatedGreeting.initializeResult(
            [
                part("a", #"{"protocolVersion":"2025-11-25","instructions":"Do."}"#),
                part("b", #"{"protocolVersion":"2025-03-26","instructions":""}"#),
                part("c", #"{"protocolVersion":"none","instructions":"Do not."}"#),
            ],
            implementation: ["name": "g", "version": "1"]
        )
        #expect(result["protocolVersion"] == "2025-03-26")
        #expect(result["serverInfo"]?["name"] == "g")
        #expect(result["instructions"] == "# a\n\nDo.\n\n# c\n\nDo not.")
        let long = String(repeating: "x", count: 70_000)
        let bounded = try FederatedGreeting.discoverResult(
            [part("a", #"{"instructions":"\#(long)"}"#), part("b", #"{"instructions":"short"}"#)],
            implementation: ["name": "g", "version": "1"]
        )
        #expect(bounded["instructions"] == "# b\n\nshort")
        #expect(bounded["supportedVersions"] == ["2026-07-28"] && bounded["resultType"] == "complete")
    }

    @Test(
        arguments: [
            ("a.7", "a", 7, nil), ("a-b.0.", "a-b", 0, ""),
            ("a.18446744073709551615.x.y", "a", UInt64.max, "x.y"),
        ] as [(String, String, UInt64, String?)]
    )
    func `states name their server`(text: String, server: String, instance: UInt64, inner: String?) throws {
        let state = try #require(FederatedState(Array(text.utf8)))
        #expect(
            state
                == FederatedState(
                    server: Array(server.utf8),
                    instance: instance,
                    inner: inner.map { Array($0.utf8) }
                )
        )
        #expect(String(decoding: state.text, as: UTF8.self) == text)
    }

    @Test(arguments: ["", "a", ".1", "a.", "a.-1", "a.x.y", "a.99999999999999999999"])
    func `what is no state is none`(text: String) {
        #expect(FederatedState(Array(text.utf8)) == nil)
    }
}

@Suite("Federated listening")
struct FederatedListeningTests {
    private func filter(_ uris: [String] = [], tools: Bool = true) -> ListenFilter {
        var filter = ListenFilter()
        filter.tools = tools
        filter.uris = uris
        return filter
    }

    @Test func `it is acknowledged once, when all have answered, with what one of them honours`() {
        let machine = Listening(filter(["u:1", "u:2", "u:3"]), asking: [0, 1])
        #expect(machine.acknowledged(1, filter(["u:2"], tools: false)) == [])
        #expect(machine.told() == .hold)
        #expect(
            machine.acknowledged(0, filter(["u:1"], tools: false)) == [.acknowledge(filter(["u:1", "u:2"]))]
        )
        #expect(machine.told() == .pass)
        #expect(machine.expired() == [])
    }

    @Test func `a server that does not answer in time comes later, as a change`() {
        let machine = Listening(filter(), asking: [0, 1])
        #expect(machine.acknowledged(0, filter()) == [])
        #expect(machine.expired() == [.acknowledge(filter())])
        #expect(machine.acknowledged(1, filter()) == [.tellChanges])
        #expect(machine.ended(1) == [])
        #expect(machine.acknowledged(1, filter()) == [.tellChanges])
    }

    @Test func `one that refuses is not waited for, and lists may change all the same`() {
        let machine = Listening(filter(["u:1"]), asking: [0, 1])
        #expect(machine.ended(0) == [])
        #expect(machine.ended(0) == [])
        #expect(machine.ended(1) == [.acknowledge(filter())])
    }

    @Test func `what waits for the acknowledgement is bounded`() {
        let machine = Listening(filter(), asking: [0])
        var held = 0
        while machine.told() == .hold { held += 1 }
        #expect(held == 256)
        #expect(machine.told() == .drop)
    }

    @Test func `what did not work is tried again later each time`() {
        var retries = FederatedRetries()
        let first = retries.take(at: .max)
        #expect(!first)
        var waits: [UInt64] = []
        for _ in 0..<9 {
            retries.failed(at: 0)
            var now: UInt64 = 0
            while !retries.take(at: now) { now += 1_000 }
            waits.append(now)
            let again = retries.take(at: .max)
            #expect(!again)
        }
        #expect(waits == [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
        retries.succeeded()
        retries.failed(at: 5)
        let last = retries.take(at: 1_005)
        #expect(last)
    }
}

@Suite("Federated references")
struct FederatedReferenceTests {
    @Test func `prompts and resources are found with their place`() throws {
        let line = try Line(
            #"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"argument":{"name":"x"},"ref":{"name":"p\u0031","type":"ref/prompt"}}}"#
        )
        let reference = FederatedReference(line.message, line.bytes.span)
        let found = try #require(reference)
        #expect(found.isPrompt && found.key == Array("p1".utf8))
        #expect(String(decoding: line.bytes[found.place.range], as: UTF8.self) == #""p\u0031""#)
        let other = try Line(
            #"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":{"ref":{"type":"ref/resource","uri":"u:{x}"}}}"#
        )
        let template = FederatedReference(other.message, other.bytes.span)
        let resource = try #require(template)
        #expect(!resource.isPrompt && resource.key == Array("u:{x}".utf8))
    }

    @Test(arguments: [
        #"{}"#, #"{"ref":1}"#, #"{"ref":{}}"#, #"{"ref":{"type":"ref/prompt"}}"#,
        #"{"ref":{"type":"ref/prompt","name":1}}"#, #"{"ref":{"type":"ref/other","name":"x"}}"#,
        #"{"ref":{"type":"ref/prompt","uri":"x"}}"#,
    ])
    func `anything else is none`(params: String) throws {
        let line = try Line(#"{"jsonrpc":"2.0","id":1,"method":"completion/complete","params":\#(params)}"#)
        let reference = FederatedReference(line.message, line.bytes.span)
        #expect(reference == nil)
    }
}
