// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Backends

@Suite struct ChildPopulationTests {
    @Test func `there are as many places as the limit says`() {
        let population = ChildPopulation(limit: 2)
        #expect(population.enter() && population.enter())
        #expect(!population.hasRoom && !population.enter())
        population.leave()
        #expect(population.count == 1 && population.enter())
    }

    @Test func `the least recently used of those that nobody needs gives way`() {
        let population = ChildPopulation(limit: 2)
        _ = population.enter()
        _ = population.enter()
        var ended: [String] = []
        population.search { .init(lastUse: 20) { ended.append("young") } }
        population.search { ended.isEmpty ? .init(lastUse: 10) { ended.append("old") } : nil }
        population.search { nil }
        var retries = 0
        #expect(population.makeRoom { retries += 1 })
        #expect(ended == ["old"] && retries == 0)
        population.leave()
        #expect(retries == 0 && population.hasRoom)
        population.wake()
        #expect(retries == 1)
        population.leave()
        population.wake()
        #expect(retries == 1)
    }

    @Test func `without one that nobody needs there is no room`() {
        let population = ChildPopulation(limit: 1)
        _ = population.enter()
        #expect(!population.makeRoom {})
        population.search { nil }
        #expect(!population.makeRoom {})
    }

    @Test func `no more wait for a place than there are places, and none after the end`() {
        let population = ChildPopulation(limit: 1)
        _ = population.enter()
        population.search { .init(lastUse: 1) {} }
        var retries = 0
        #expect(population.makeRoom { retries += 1 })
        #expect(!population.makeRoom { retries += 1 })
        population.giveUp()
        population.leave()
        population.wake()
        #expect(retries == 0)
    }
}
