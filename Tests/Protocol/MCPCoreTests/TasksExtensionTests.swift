// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct `The tasks extension` {
    private func message(params: String) throws -> (Message, [UInt8]) {
        let bytes = Array(#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":\#(params)}"#.utf8)
        return (try Message(bytes.span), bytes)
    }

    private func message(result: String) throws -> (Message, [UInt8]) {
        let bytes = Array(#"{"jsonrpc":"2.0","id":1,"result":\#(result)}"#.utf8)
        return (try Message(bytes.span), bytes)
    }

    @Test(arguments: [
        ("{}", false), (#"{"extensions":{}}"#, false),
        (#"{"extensions":{"io.modelcontextprotocol/tasks":{}}}"#, true),
        (
            #"{ "elicitation" : {"form":{}}, "extensions" : { "a/b" : 1, "io.modelcontextprotocol/tasks" : {} } }"#,
            true
        ),
        (#"{"extensions":{"io.modelcontextprotocol\/t\u0061sks":{}}}"#, true),
        (#"{"extensions":["io.modelcontextprotocol/tasks"],"more":"and more"}"#, false),
        (#"{"experimental":{"io.modelcontextprotocol/tasks":{}},"extensions":{}}"#, false),
        (#"{"io.modelcontextprotocol/tasks":{},"extensions":{"x/y":{}}}"#, false),
    ])
    func `is declared among the extensions of a client`(_ capabilities: String, _ isDeclared: Bool) throws {
        let key = "io.modelcontextprotocol/clientCapabilities"
        let (message, bytes) = try message(params: #"{"name":"t","_meta":{"\#(key)":\#(capabilities)}}"#)
        let found = TasksExtension.isDeclared(by: message, bytes.span)
        #expect(found == isDeclared)
    }

    @Test func `is not declared by who declares nothing`() throws {
        let (message, bytes) = try message(params: #"{"name":"t"}"#)
        let found = TasksExtension.isDeclared(by: message, bytes.span)
        #expect(!found)
    }

    @Test(
        arguments: [
            (#"{"resultType":"task","taskId":"a","ttlMs":5}"#, "a", 5),
            (#"{"ttlMs":null,"taskId":"a\u0062"}"#, "a\\u0062", nil), (#"{"taskId":"x"}"#, "x", nil),
            (#"{"taskId":"x","ttlMs":1.5}"#, "x", nil), (#"{"taskId":"x","ttlMs":"5"}"#, "x", nil),
            (#"{"taskId":""}"#, nil, nil), (#"{"taskId":7}"#, nil, nil), ("{}", nil, nil),
            (#"{"task":{"taskId":"inner"}}"#, nil, nil),
        ] as [(String, String?, Int?)]
    )
    func `names a task in a result`(_ result: String, _ id: String?, _ lifetime: Int?) throws {
        let (message, bytes) = try message(result: result)
        let task = TasksExtension.task(in: message.envelope.result, bytes.span)
        #expect(task.map { bytes.span.text($0.id.slice) } == id)
        #expect(task?.id.hasEscapes == id?.contains("\\"))
        #expect(task?.lifetime == lifetime)
    }

    @Test(
        arguments: [
            (#"{"notifications":{"taskIds":["a","b\n"]}}"#, #"["a","b\n"]"#, ["a", "b\n"]),
            (#"{"notifications":{"toolsListChanged":true,"taskIds":[]}}"#, "[]", []),
            (#"{"notifications":{"taskIds":["a",7]}}"#, #"["a",7]"#, nil),
            (#"{"notifications":{"taskIds":["\ud800"]}}"#, #"["\ud800"]"#, nil),
            (#"{"notifications":{"taskIds":"a"}}"#, #""a""#, nil),
            (#"{"notifications":{"toolsListChanged":true}}"#, nil, nil),
            (#"{"notifications":["taskIds"],"taskIds":["a"]}"#, nil, nil), ("{}", nil, nil),
        ] as [(String, String?, [String]?)]
    )
    func `filters what a listen hears`(_ params: String, _ place: String?, _ ids: [String]?) throws {
        let (message, bytes) = try message(params: params)
        let filter = TasksExtension.filter(in: message.envelope.params, bytes.span)
        #expect(filter.map { bytes.span.text($0.slice) } == place)
        #expect(filter?.ids == ids?.map { Array($0.utf8) })
    }

    @Test func `has methods about one task`() {
        #expect(Method.allCases.filter(\.isAboutTask) == [.tasksGet, .tasksUpdate, .tasksCancel])
    }
}
