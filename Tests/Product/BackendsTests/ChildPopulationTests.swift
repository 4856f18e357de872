// Gatehouse. SPDX-License-Identifier: MIT

import Sessions
import Testing

@testable import Backends

@Suite struct ChildPopulationTests {
    private let anna = Principal(issuer: "i", subject: "anna", client: "", tenant: "")
    private let bert = Principal(issuer: "i", subject: "bert", client: "", tenant: "")

    private func filled(_ limit: Int) -> ChildPopulation {
        let population = ChildPopulation(limit: limit)
        for _ in 0..<limit { population.enter(nil) }
        return population
    }

    @Test func `there are as many places as the limit says`() {
        let population = filled(2)
        #expect(!population.hasRoom(for: nil))
        population.leave(nil)
        #expect(population.count == 1 && population.hasRoom(for: nil))
    }

    @Test func `a principal has no more places than it may, and others have theirs`() {
        let population = ChildPopulation(limit: 10, principalLimit: 2)
        population.enter(anna)
        population.enter(anna)
        #expect(
            !population.hasRoom(for: anna) && population.hasRoom(for: bert) && population.hasRoom(for: nil)
        )
        population.leave(anna)
        #expect(population.hasRoom(for: anna))
    }

    @Test func `where a principal has too many, one of its own gives way`() {
        let population = ChildPopulation(limit: 10, principalLimit: 1)
        population.enter(anna)
        var asked: [Principal?] = []
        population.search { principal in
            asked.append(principal)
            return nil
        }
        #expect(!population.makeRoom(for: anna) {})
        #expect(!population.makeRoom(for: bert) {})
        #expect(asked == [anna, nil])
    }

    @Test func `the least recently used of those that nobody needs gives way`() {
        let population = filled(2)
        var ended: [String] = []
        population.search { _ in .init(lastUse: 20) { ended.append("young") } }
        population.search { _ in ended.isEmpty ? .init(lastUse: 10) { ended.append("old") } : nil }
        population.search { _ in nil }
        var retries = 0
        #expect(population.makeRoom(for: anna) { retries += 1 })
        #expect(ended == ["old"] && retries == 0)
        population.leave(nil)
        #expect(retries == 0 && population.hasRoom(for: anna))
        population.wake()
        #expect(retries == 1)
        population.leave(nil)
        population.wake()
        #expect(retries == 1)
    }

    @Test func `without one that nobody needs there is no room`() {
        let population = filled(1)
        #expect(!population.makeRoom(for: nil) {})
        population.search { _ in nil }
        #expect(!population.makeRoom(for: nil) {})
    }

    @Test func `no more wait for a place than there are places, and none after the end`() {
        let population = filled(1)
        population.search { _ in .init(lastUse: 1) {} }
        var retries = 0
        #expect(population.makeRoom(for: nil) { retries += 1 })
        #expect(!population.makeRoom(for: nil) { retries += 1 })
        population.giveUp()
        population.leave(nil)
        population.wake()
        #expect(retries == 0)
    }

    @Test func `a place counts here and there, and is given back once`() throws {
        let (own, all) = (ChildPopulation(limit: 1), ChildPopulation(limit: 2))
        let place = try #require(ChildPlace(own, all, for: anna))
        #expect(ChildPlace(own, all, for: bert) == nil)
        #expect(own.count == 1 && all.count == 1)
        place.leave()
        place.leave()
        #expect(own.count == 0 && all.count == 0)
    }

    @Test func `a place that is kept ready is given to one principal, within its bound`() throws {
        let (own, all) = (ChildPopulation(limit: 3, principalLimit: 1), ChildPopulation(limit: 3))
        let first = try #require(ChildPlace(own, all, for: nil))
        let second = try #require(ChildPlace(own, all, for: nil))
        #expect(first.give(to: anna))
        #expect(!first.give(to: bert), "it is anna's for good")
        #expect(!second.give(to: anna), "anna has as many as she may")
        #expect(second.give(to: bert))
        first.leave()
        #expect(own.hasRoom(for: anna) && own.count == 1)
        #expect(!first.give(to: anna), "it was given back")
    }
}
