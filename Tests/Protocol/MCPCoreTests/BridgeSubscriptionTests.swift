// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite struct BridgeSubscriptionTests {
    private func filter(_ uris: [String]) -> ListenFilter {
        var filter = ListenFilter()
        filter.uris = uris
        return filter
    }

    // MARK: Filters

    @Test func `a filter is read as it is written`() throws {
        let value = try json(
            """
            {"toolsListChanged":true,"promptsListChanged":true,"resourcesListChanged":true,"resourceSubscriptions":["a","b"]}
            """
        )
        let filter = try #require(ListenFilter(value))
        #expect(filter.value == value)
        #expect(!filter.isEmpty)
        let off = try #require(ListenFilter(["toolsListChanged": false, "taskIds": ["t"]]))
        #expect(off.tasks == ["t"] && off.value == ["taskIds": ["t"]])
        #expect(off.honoured(by: .object([])).isEmpty)
    }

    @Test(arguments: [
        "null", "5", "[]", #"{"toolsListChanged":"yes"}"#, #"{"promptsListChanged":1}"#,
        #"{"resourcesListChanged":null}"#, #"{"resourceSubscriptions":"a"}"#,
        #"{"resourceSubscriptions":[5]}"#,
    ])
    func `what is no filter is none`(_ text: String) throws {
        #expect(ListenFilter(try json(text)) == nil)
        #expect(ListenFilter(nil) == nil)
    }

    @Test func `a filter names each resource once, and not too many`() throws {
        let twice = try #require(ListenFilter(["resourceSubscriptions": ["a", "b", "a"]]))
        #expect(twice.uris == ["a", "b"])
        func many(_ count: Int) -> ListenFilter? {
            ListenFilter(["resourceSubscriptions": .array((0..<count).map { .string("u\($0)") })])
        }
        #expect(many(ListenFilter.uriLimit) != nil)
        #expect(many(ListenFilter.uriLimit + 1) == nil)
    }

    @Test func `only what the server declared is honoured`() throws {
        let all = try #require(
            ListenFilter([
                "toolsListChanged": true, "promptsListChanged": true, "resourcesListChanged": true,
                "resourceSubscriptions": ["u"],
            ])
        )
        let capabilities: [(String, String)] = [
            ("{}", "{}"), ("5", "{}"),
            (
                #"{"tools":{"listChanged":true},"prompts":{"listChanged":false}}"#,
                #"{"toolsListChanged":true}"#
            ),
            (#"{"prompts":{"listChanged":true},"tools":{"listChanged":1}}"#, #"{"promptsListChanged":true}"#),
            (#"{"resources":{"listChanged":true}}"#, #"{"resourcesListChanged":true}"#),
            (#"{"resources":{"subscribe":true}}"#, #"{"resourceSubscriptions":["u"]}"#),
        ]
        for (declared, expected) in capabilities {
            #expect(all.honoured(by: try json(declared)).value == (try json(expected)))
        }
        #expect(all.honoured(by: nil).isEmpty)
    }

    @Test func `a notification is covered if its list or resource is`() {
        var filter = filter(["x://a", "x://d/"])
        filter.tools = true
        #expect(filter.covers(.toolsChanged, uri: nil))
        #expect(!filter.covers(.promptsChanged, uri: nil))
        #expect(!filter.covers(.resourcesChanged, uri: nil))
        #expect(!filter.covers(.logMessage, uri: nil))
        #expect(!filter.covers(.resourceUpdated, uri: nil))
        for uri in ["x://a", "x://a/b", "x://d/", "x://d/e"] {
            #expect(filter.covers(.resourceUpdated, uri: uri))
        }
        for uri in ["x://ab", "x://", "x://d", "X://a", ""] {
            #expect(!filter.covers(.resourceUpdated, uri: uri))
        }
    }

    // MARK: Counts

    @Test func `the server is asked when the first listens, and told when the last has gone`() {
        var counts = SubscriptionCounts()
        #expect(counts.add(1, filter(["a", "b"])) == ["a", "b"])
        #expect(counts.add(2, filter(["b", "c"])) == ["c"])
        #expect(counts.uris == ["a", "b", "c"])
        #expect(counts.remove(1) == ["a"])
        #expect(counts.remove(1) == [])
        #expect(counts.remove(2) == ["b", "c"])
        #expect(counts.uris == [])
        #expect(counts.keys == [])
    }

    @Test func `what the server does not honour is not wanted by that listen any more`() {
        var counts = SubscriptionCounts()
        _ = counts.add(1, filter(["a", "b"]))
        _ = counts.add(2, filter(["b"]))
        #expect(counts.narrow(1, to: filter(["a"])) == [])
        #expect(counts.listeners(of: .resourceUpdated, uri: "b") == [2])
        #expect(counts.narrow(2, to: filter([])) == ["b"])
        #expect(counts.narrow(2, to: filter([])) == [])
        #expect(counts.narrow(3, to: filter([])) == [])
        #expect(counts.uris == ["a"])
        #expect(counts.add(3, filter(["b"])) == ["b"])
        #expect(counts.remove(1) == ["a"])
        #expect(counts.remove(2) == [])
    }

    @Test func `URIs are told apart by their bytes`() {
        var counts = SubscriptionCounts()
        let composed = "x://\u{E9}"
        let decomposed = "x://e\u{301}"
        #expect(counts.add(1, filter([composed])) == [composed])
        #expect(counts.add(2, filter([decomposed]))?.map { Array($0.utf8) } == [Array(decomposed.utf8)])
        #expect(counts.remove(1).map { Array($0.utf8) } == [Array(composed.utf8)])
        #expect(counts.uris.count == 1)
    }

    @Test func `only so many listens are open, and each key is one`() {
        var counts = SubscriptionCounts(capacity: 2)
        #expect(counts.add(1, filter(["a"])) == ["a"])
        #expect(counts.add(1, filter(["b"])) == nil)
        #expect(counts.add(2, filter(["a"])) == [])
        #expect(counts.add(3, filter(["c"])) == nil)
        #expect(counts.uris == ["a"])
        #expect(counts.remove(3) == [])
        #expect(counts.remove(1) == [])
        #expect(counts.add(3, filter(["c"])) == ["c"])
    }

    @Test func `a notification goes to those who asked for it, oldest first`() {
        var counts = SubscriptionCounts()
        var tools = ListenFilter()
        tools.tools = true
        _ = counts.add(3, filter(["x://a"]))
        _ = counts.add(1, tools)
        _ = counts.add(2, filter(["x://a/b"]))
        #expect(counts.listeners(of: .toolsChanged, uri: nil) == [1])
        #expect(counts.listeners(of: .resourceUpdated, uri: "x://a/b") == [2, 3])
        #expect(counts.listeners(of: .resourceUpdated, uri: "x://a") == [3])
        #expect(counts.listeners(of: .promptsChanged, uri: nil) == [])
        #expect(counts.keys == [1, 2, 3])
    }
}

@Suite struct BridgeLogLevelsTests {
    @Test func `a server is set to the lowest level that was wanted`() {
        var levels = LogLevels()
        #expect(levels.want(.warning) == .warning)
        #expect(levels.want(.warning) == nil)
        #expect(levels.want(.error) == nil)
        #expect(levels.want(.info) == .info)
        #expect(levels.want(.notice) == nil)
        #expect(levels.want(.debug) == .debug)
        levels.reset()
        #expect(levels.want(.emergency) == .emergency)
    }

    @Test func `levels are ordered as they matter, and found by their exact names`() {
        let names = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"]
        #expect(names.compactMap { LogSeverity(bytes: Array($0.utf8)) } == LogSeverity.allCases)
        #expect(LogSeverity.allCases.sorted() == LogSeverity.allCases)
        for wrong in ["", "Debug", "warn", "info ", "trace"] {
            #expect(LogSeverity(bytes: wrong.utf8) == nil)
        }
    }
}
