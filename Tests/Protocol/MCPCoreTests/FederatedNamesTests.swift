// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPCore
import Testing

@Suite("Federated names")
struct FederatedNamesTests {
    private func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

    private func table(
        _ servers: [String] = ["git", "time", "web"],
        separator: String = "_"
    ) -> FederatedNames {
        FederatedNames(servers: servers, separator: separator)
    }

    private func shown(_ table: FederatedNames, _ member: Int, _ name: String) -> String? {
        table.name(of: .init(member, Array(name.utf8))).map { String(decoding: $0, as: UTF8.self) }
    }

    private func meaning(_ table: FederatedNames, _ name: String) -> String? {
        table.origin(of: Array(name.utf8)).map { "\($0.member) \(String(decoding: $0.name, as: UTF8.self))" }
    }

    @Test func `a name that one server has stays, one that several have gets a prefix everywhere`() {
        var names = table()
        names.update([bytes(["search", "log"]), bytes(["now"]), bytes(["search"])])
        #expect(shown(names, 0, "log") == "log")
        #expect(shown(names, 1, "now") == "now")
        #expect(shown(names, 0, "search") == "git_search")
        #expect(shown(names, 2, "search") == "web_search")
        #expect(meaning(names, "web_search") == "2 search")
        #expect(meaning(names, "search") == nil)
        #expect(names.count == 4)
    }

    @Test func `a name that was given keeps its meaning when a late server has the same`() {
        var names = table()
        names.update([bytes(["search"]), [], []])
        #expect(meaning(names, "search") == "0 search")
        names.update([bytes(["search"]), [], bytes(["search"])])
        #expect(shown(names, 0, "search") == "git_search")
        #expect(shown(names, 2, "search") == "web_search")
        #expect(meaning(names, "search") == "0 search")
        // Once the first one has gone, the name is free for the other.
        names.update([[], [], bytes(["search"])])
        #expect(shown(names, 2, "search") == "search")
        #expect(meaning(names, "search") == "2 search")
        #expect(meaning(names, "git_search") == nil)
        #expect(meaning(names, "web_search") == "2 search")
    }

    @Test func `a tool that is called what another was given does not take its place`() {
        var names = table()
        names.update([bytes(["search"]), [], bytes(["search"])])
        #expect(meaning(names, "git_search") == "0 search")
        names.update([bytes(["search"]), bytes(["git_search"]), []])
        #expect(meaning(names, "git_search") == "0 search")
        #expect(shown(names, 1, "git_search") == "time_git_search")
    }

    @Test func `a prefixed name gives way to a tool that is called so by itself`() throws {
        var names = table()
        names.update([bytes(["search"]), bytes(["git_search"]), bytes(["search"])])
        #expect(shown(names, 1, "git_search") == "git_search")
        let other = try #require(shown(names, 0, "search"))
        #expect(other.hasPrefix("git_search_") && other.count == "git_search_".count + 8)
        #expect(meaning(names, other) == "0 search")
    }

    @Test(arguments: ["", "a b", "näme", "slash/es", String(repeating: "x", count: 65), "日本"])
    func `a name that clients may not see is mapped and keeps a hash`(name: String) throws {
        var names = table()
        names.update([bytes([name]), [], []])
        let given = try #require(shown(names, 0, name))
        #expect(given != name && (9...64).contains(given.utf8.count))
        #expect(meaning(names, given) == "0 \(name)")
        // The same in another conversation, whatever else there is.
        var others = table()
        others.update([bytes(["z", name, "a"]), [], []])
        #expect(shown(others, 0, name) == given)
    }

    @Test func `names that look the same to people are different names`() {
        var names = table()
        names.update([bytes(["e\u{301}"]), bytes(["\u{e9}"]), []])
        #expect(shown(names, 0, "e\u{301}") != shown(names, 1, "\u{e9}"))
    }

    @Test func `a long server name leaves room for the tool's hash`() throws {
        let long = String(repeating: "s", count: 64)
        var names = table([long, "b"])
        names.update([bytes(["search", "find"]), bytes(["search", "find"])])
        let first = try #require(shown(names, 0, "search"))
        let second = try #require(shown(names, 0, "find"))
        #expect(first.count == 64 && second.count == 64 && first != second)
        #expect(meaning(names, first) == "0 search" && meaning(names, second) == "0 find")
    }

    /// Sets made of few letters, so that everything collides with everything.
    private func sets(_ seed: UInt64) -> [[[UInt8]]] {
        var numbers = SeededNumbers(seed: seed)
        let parts = ["a", "b", "a_a", "b_a", "a_b", "ä", "", "a a", String(repeating: "a", count: 70), "b_b"]
        return (0..<3).map { _ in
            (0..<Int(numbers.next() % 9)).map { _ in
                let pick = parts[Int(numbers.next() % UInt64(parts.count))]
                return Array((numbers.next() % 4 == 0 ? pick + "_a" : pick).utf8)
            }
        }
    }

    @Test func `random sets have names that are valid, unique, and the same in any order`() {
        for seed in UInt64(1)...2_000 {
            let sets = sets(seed)
            var names = table(["a", "b", "a_a"])
            names.update(sets)
            var turned = table(["a", "b", "a_a"])
            turned.update(sets.map { $0.reversed() })
            var used: Set<[UInt8]> = []
            for (member, own) in sets.enumerated() {
                for name in Set(own) {
                    let origin = FederatedNames.Origin(member, name)
                    guard let given = names.name(of: origin) else {
                        Issue.record("nothing was given, seed \(seed)")
                        return
                    }
                    #expect(used.insert(given).inserted, "given twice, seed \(seed)")
                    #expect((1...64).contains(given.count), "seed \(seed)")
                    #expect(given.allSatisfy(isAllowed), "seed \(seed)")
                    #expect(names.origin(of: given) == origin, "seed \(seed)")
                    #expect(turned.name(of: origin) == given, "depends on the order, seed \(seed)")
                }
            }
            #expect(names.count == used.count)
        }
    }

    @Test func `whatever comes and goes, a name means what it meant while that exists`() {
        for seed in UInt64(1)...300 {
            var names = table(["a", "b", "a_a"])
            var promised: [[UInt8]: FederatedNames.Origin] = [:]
            for step in UInt64(0)..<8 {
                let sets = sets(seed &* 1_000 &+ step)
                names.update(sets)
                let existing = Set(
                    sets.enumerated().flatMap { member, own in own.map { FederatedNames.Origin(member, $0) } }
                )
                promised = promised.filter { existing.contains($0.value) }
                for (name, origin) in promised {
                    #expect(names.origin(of: name) == origin, "seed \(seed), step \(step)")
                }
                for origin in existing {
                    if let name = names.name(of: origin) { promised[name] = origin }
                }
            }
        }
    }

    private func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}
