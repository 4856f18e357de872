// Gatehouse. SPDX-License-Identifier: MIT

import MCPCore
import Sessions
import Testing

@testable import Backends

@Suite struct FederatedMemoryTests {
    private func principal(_ number: Int) -> Principal {
        Principal(issuer: "i", subject: "\(number)", client: "c", tenant: "t")
    }

    /// A list with one element of so many bytes.
    private func list(_ bytes: Int, _ kind: FederatedKind = .tools) throws -> FederatedList {
        let member = kind == .tools ? "tools" : "prompts"
        let item = #"{"name":"a","x":""}"#
        let padding = String(repeating: "y", count: bytes - item.utf8.count)
        let element = #"{"name":"a","x":"\#(padding)"}"#
        let text = Array(#"{"jsonrpc":"2.0","id":1,"result":{"\#(member)":[\#(element)]}}"#.utf8)
        var list = FederatedList(kind)
        let message = try Message(text.span)
        let next = list.add(message, text.span)
        try #require(next == nil && list.size == bytes)
        return list
    }

    @Test func `what was listed to a principal in an era is remembered until it is listed anew`() throws {
        var memory = FederatedMemory()
        memory.remember([[.tools: try list(100)], [:]], of: principal(1), .legacy)
        memory.remember([[:], [.tools: try list(50)]], of: principal(1), .modern)
        #expect(memory.lists(of: principal(1), .legacy)?[0][.tools]?.size == 100)
        #expect(memory.lists(of: principal(1), .modern)?[1][.tools]?.size == 50)
        #expect(memory.lists(of: principal(2), .legacy) == nil)
        memory.remember([[.tools: try list(60)], [:]], of: principal(1), .legacy)
        #expect(memory.lists(of: principal(1), .legacy)?[0][.tools]?.size == 60)
        #expect(memory.count == 2 && memory.bytes == 110)
    }

    @Test func `the bytes of all lists together are bounded, and the oldest give way`() throws {
        var memory = FederatedMemory(limit: 100, byteLimit: 1000)
        for number in 0..<10 {
            memory.remember([[.tools: try list(200)]], of: principal(number), .modern)
            #expect(memory.bytes <= 1000)
        }
        #expect(memory.count == 5 && memory.bytes == 1000)
        #expect(memory.lists(of: principal(4), .modern) == nil)
        #expect(memory.lists(of: principal(5), .modern) != nil)
    }

    @Test func `the number of principals is bounded`() throws {
        var memory = FederatedMemory(limit: 3, byteLimit: 1000)
        for number in 0..<5 { memory.remember([[:]], of: principal(number), .legacy) }
        #expect(memory.count == 3 && memory.lists(of: principal(2), .legacy) != nil)
        #expect(memory.lists(of: principal(1), .legacy) == nil)
    }

    @Test func `one principal's largest lists are left out, not the lists of the others`() throws {
        var memory = FederatedMemory(limit: 10, byteLimit: 1000)
        memory.remember([[.tools: try list(100)]], of: principal(1), .legacy)
        let own: FederatedMemory.Lists = [
            [.tools: try list(900), .prompts: try list(60, .prompts)], [.tools: try list(240)],
            [.tools: try list(120)],
        ]
        memory.remember(own, of: principal(2), .legacy)
        let kept = memory.lists(of: principal(2), .legacy)
        #expect(kept?.map { $0[.tools]?.size } == [nil, nil, 120])
        #expect(kept?[0][.prompts]?.size == 60)
        #expect(memory.lists(of: principal(1), .legacy) != nil && memory.bytes == 280)
    }
}
