// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer
import Testing

@Suite(.timeLimit(.minutes(1)))
struct ModernTests {
    let client = TestClient(makeServer())
    static let forms = #"{"elicitation":{}}"#

    @Test
    func `A request stands for itself`() async {
        client.modern(#""a""#, "tools/call", #""name":"echo","arguments":{"text":"hi"}"#)
        #expect(
            await client.next()
                == #"{"jsonrpc":"2.0","id":"a","result":{"resultType":"complete","#
                + #""content":[{"type":"text","text":"hi"}],"_meta":{"io.modelcontextprotocol/serverInfo":"#
                + #"{"name":"test","title":"Test","version":"1.0"}}}}"#
        )
    }

    @Test
    func `A question parks the call, and its retry wakes it`() async {
        let asked = await client.result("1", "tools/call", #""name":"name""#, capabilities: Self.forms)
        #expect(
            asked.without("_meta").line
                == #"{"resultType":"input_required","inputRequests":{"user_name":{"method":"elicitation/create","#
                + #""params":{"message":"Who?","requestedSchema":"# + nameSchema.line
                + #"}}},"requestState":"secret-1"}"#
        )
        let answer = await client.result(
            "2",
            "tools/call",
            #""name":"name","requestState":"secret-1","#
                + #""inputResponses":{"user_name":{"action":"accept","content":{"name":"Ada"}}}"#,
            capabilities: Self.forms
        )
        #expect(answer["content"]?.line == #"[{"type":"text","text":"Hello, Ada!"}]"#)
    }
}
