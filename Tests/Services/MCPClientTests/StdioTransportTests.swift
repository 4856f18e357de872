// Gatehouse. SPDX-License-Identifier: MIT

import Children
import EventLoop
import JSON
import MCPClient
import MCPCore
import TestSupport
import Testing

/// A server as a shell script: `$line` is the message, `$id` its id.
func shell(_ cases: String) -> ServerTarget {
    let script = """
        reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\\n' "$id" "$1"; }
        welcome='{"protocolVersion":"2025-06-18","capabilities":{},"serverInfo":{"name":"sh","version":"1"}}'
        while read -r line; do
          id=${line#*\\"id\\":}; id=${id%%,*}
          case $line in
        \(cases)
          esac
        done
        """
    let command = ChildCommand(
        executable: "/bin/sh",
        arguments: ["-c", script],
        environment: ["PATH": "/bin:/usr/bin"]
    )
    return .process(command, ChildSpawner(launcher: ChildSpawner.locateLauncher()))
}

@Suite struct StdioTransportTests {
    @Test(arguments: [
        "exit 7 ;;", #"printf '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no"}}\n' ;;"#,
    ])
    func `a legacy server that cannot be probed is started anew`(_ probed: String) async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                let target = shell(
                    """
                    *server/discover*) \(probed)
                    *'"initialize"'*) reply "$welcome" ;;
                    *initialized*) ready=$$ ;;
                    *who*) reply "{\\"isReady\\":$([ "$ready" = $$ ] && echo true || echo false)}" ;;
                    """
                )
                return (target, nil)
            }
            try await bench.request("who")
            try await bench.close()
            try await loop.run {
                #expect(bench.value.client.server?.revision == .v2025_06_18)
                #expect(bench.value.texts == [#"{"isReady":true}"#])
            }
        }
    }

    @Test func `a modern server is kept, and talk beside the messages is passed on`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                let target = shell(
                    """
                    *server/discover*) echo starting; reply '{"supportedVersions":["2026-07-28"],"capabilities":{}}' ;;
                    *who*) echo oops >&2; reply '{"pid":1}' ;;
                    """
                )
                return (target, nil)
            }
            try await bench.request("who")
            try await loop.wait("the talk") { bench.value.events.joined() == "starting\noops\n" }
            try await bench.close()
            try await loop.run {
                #expect(bench.value.client.server?.era == .modern)
                #expect(bench.value.texts == [#"{"pid":1}"#])
            }
        }
    }

    @Test func `a server that ends fails what waits, and says why`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) {
                let target = shell(
                    """
                    *'"initialize"'*) reply "$welcome" ;;
                    *who*) echo 'last words' >&2; exit 3 ;;
                    """
                )
                return (target, nil)
            }
            try await bench.request("who")
            try await bench.request("who")
            try await bench.close()
            try await loop.run {
                #expect(bench.value.texts.first?.contains("exit status 3") == true)
                #expect(bench.value.texts.first?.contains("last words") == true)
                #expect(bench.value.texts.last == "! the client is not connected")
            }
        }
    }

    @Test func `a request that is given up is cancelled at the server`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop, era: .legacy) {
                let target = shell(
                    """
                    *'"initialize"'*) reply "$welcome" ;;
                    *notifications/cancelled*) echo "$line" >&2 ;;
                    """
                )
                return (target, nil)
            }
            let call = try await loop.run {
                LoopBound(bench.value.client.request("who") { bench.value.results.append($0) }, loop)
            }
            try await loop.run { call.value.cancel() }
            try await loop.wait("the word of it") { bench.value.events.joined().contains(#""requestId":2"#) }
            try await loop.run { #expect(bench.value.texts == ["! \(MCPClientError.cancelled)"]) }
            try await bench.close()
        }
    }

    @Test func `a program that is not there is unreachable`() async throws {
        try await withLoop { loop in
            let bench = try await LoopBound.connect(loop) {
                (.process(ChildCommand(executable: "/no/such/program"), ChildSpawner(launcher: nil)), nil)
            }
            try await bench.close()
            try await loop.run {
                guard case .unreachable = bench.value.error else {
                    Issue.record("it was reached")
                    return
                }
            }
        }
    }
}
