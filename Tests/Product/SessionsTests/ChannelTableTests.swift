// Gatehouse. SPDX-License-Identifier: MIT

import MCPCore
import Testing

@testable import Sessions

private final class Stream: Channel {
    let owner: Principal
    let server: String
    var isLate = false
    var ends: [String] = []

    init(owner: Principal = .anonymous, server: String = "git") {
        self.owner = owner
        self.server = server
    }

    func isLate(at now: UInt64) -> Bool { isLate }
    func close() { ends.append("close") }
    func drain() { ends.append("drain") }
}

@Suite struct ChannelTableTests {
    @Test(arguments: [
        ("sessionId=0123456789abcdef0123456789abcdef", true),
        ("a=b&sessionId=0123456789abcdef0123456789abcdef", true),
        ("sessionId=0123456789ABCDEF0123456789abcdef", false), ("sessionId=", false), ("", false),
        ("sessionid=0123456789abcdef0123456789abcdef", false),
        ("xsessionId=0123456789abcdef0123456789abcdef", false),
        ("sessionId=0123456789abcdef0123456789abcde%66", false),
        (
            "sessionId=0123456789abcdef0123456789abcdef&sessionId=0123456789abcdef0123456789abcdef",
            false
        ),
    ])
    func `one id stands in the query`(_ query: String, _ isFound: Bool) {
        #expect((ChannelTable.id(query: Array(query.utf8)[...]) != nil) == isFound)
    }

    @Test func `a channel is found by its owner at its server only`() {
        let table = ChannelTable()
        let stranger = Principal(issuer: "i", subject: "s", client: "c", tenant: "t")
        let (id, stream) = (SessionID.random(), Stream())
        table.insert(stream, id)
        #expect(table.find(id, owner: .anonymous, server: "git") === stream)
        #expect(table.find(id, owner: stranger, server: "git") == nil)
        #expect(table.find(id, owner: .anonymous, server: "time") == nil)
        #expect(table.find(.random(), owner: .anonymous, server: "git") == nil)
        table.remove(id)
        #expect(table.find(id, owner: .anonymous, server: "git") == nil)
        #expect(table.count == 0)
    }

    @Test func `those that wait too long are ended, and all are drained`() {
        let table = ChannelTable()
        let (late, other) = (Stream(), Stream())
        late.isLate = true
        table.insert(late, .random())
        table.insert(other, .random())
        table.sweep(at: 1)
        table.drain()
        #expect(late.ends == ["close", "drain"])
        #expect(other.ends == ["drain"])
    }

    @Test func `only the channels of a server that is gone are ended`() {
        let table = ChannelTable()
        let (git, time) = (Stream(), Stream(server: "time"))
        table.insert(git, .random())
        table.insert(time, .random())
        table.drain(server: "git")
        #expect(git.ends == ["drain"] && time.ends.isEmpty)
    }
}
