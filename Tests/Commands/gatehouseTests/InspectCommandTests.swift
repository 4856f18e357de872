// Gatehouse. SPDX-License-Identifier: MIT

import HTTPClient
import JSON
import MCPClient
import StdioFraming
import Testing

@testable import gatehouse

@Suite struct InspectCommandTests {
    private func parse(_ line: String) throws -> InspectCommand? {
        try InspectCommand(line.split(separator: " ").map(String.init))
    }

    @Test(
        arguments: [
            ("", .unspecified), ("overview", .overview), ("shell", .shell), ("tool x", .tool("x")),
            ("subscribe tools u:v", .subscribe(["tools", "u:v"])), ("tools", .list(.tools)),
            ("templates", .list(.templates)),
            ("call t", .call("t", [])),
            ("call t a=1 b={}", .call("t", ["a=1", "b={}"])), ("read file:///x", .read("file:///x")),
            ("prompt p a=b", .prompt("p", ["a=b"])), ("ping", .method("ping", [])),
            ("completion/complete {}", .method("completion/complete", ["{}"])),
            ("call tools", .call("tools", [])),
        ] as [(String, InspectCommand.Verb)]
    )
    func `what is asked for follows the URL, or stands before the command`(
        _ words: String,
        _ verb: InspectCommand.Verb
    ) throws {
        let remote = try #require(try parse("http://h/mcp " + words))
        #expect(remote.verb == verb)
        #expect(remote.target == .url("http://h/mcp"))
        let local = try #require(try parse(words + " -- prog --json -- x"))
        #expect(local.verb == verb)
        #expect(local.target == .command(["prog", "--json", "--", "x"]))
        #expect(!local.wantsJSON)
    }

    @Test func `options may stand anywhere before the command`() throws {
        let command = try InspectCommand([
            "--json", "https://h/", "--era=legacy", "call", "--header", "A: b:c", "t", "-v", "--timeout",
            "1.5",
            "--header=X:", "a=1",
        ])
        let parsed = try #require(command)
        #expect(parsed.verb == .call("t", ["a=1"]))
        #expect(parsed.era == .legacy)
        #expect(parsed.headers == [HTTPField("A", "b:c"), HTTPField("X", "")])
        #expect(parsed.timeout == 1500)
        #expect(parsed.wantsJSON && parsed.isVerbose)
    }

    @Test func `options tell how questions are answered and what a server may know`() throws {
        let command = try InspectCommand([
            "call", "t", "--answer", "k={\"a\":1}", "--answer=s=plain text", "--answers", "f.json",
            "--root", "/x", "--root=/y", "--log-level", "warning", "--tasks", "--framing", "content-length",
            "--", "prog",
        ])
        let parsed = try #require(command)
        #expect(
            parsed.answers == [
                .init(name: "k", value: ["a": 1]), .init(name: "s", value: "plain text"),
            ]
        )
        #expect(parsed.answerFiles == ["f.json"] && parsed.roots == ["/x", "/y"])
        #expect(parsed.logLevel == "warning" && parsed.usesTasks && parsed.framing == .contentLength)
    }

    @Test(arguments: ["--help", "http://h/ -h", "tools --help -- prog"])
    func `help comes before everything else`(_ line: String) throws {
        #expect(try parse(line) == nil)
    }

    @Test(arguments: [
        "", "h:80/mcp", "ftp://h/", "--", "tools --", "http://h/ tolls", "http://h/ call", "http://h/ read",
        "http://h/ read a b", "http://h/ tools x", "http://h/ --era old", "http://h/ --era",
        "http://h/ --timeout 0",
        "http://h/ --timeout nan", "http://h/ --timeout 1e9", "http://h/ --header x", "http://h/ --header :x",
        "http://h/ --wat", "http://h/ --json=1", "http://h/ shell x", "http://h/ tool", "http://h/ tool a b",
        "http://h/ --answer x", "http://h/ --answer =1", "http://h/ --log-level loud", "http://h/ --root",
        "http://h/ --framing newline", "tools --framing lines -- prog", "--header a:b -- prog",
    ])
    func `anything else is bad usage`(_ line: String) {
        #expect(throws: Options.Misuse.self) { try parse(line) }
    }
}

@Suite struct InspectTextTests {
    private let plain = Style(isTerminal: false, hasColours: false, width: 60)
    private let terminal = Style(isTerminal: true, hasColours: true, width: 60)

    @Test func `a server's text cannot steer the terminal`() {
        #expect(Style.safe("a\u{1B}[31mb\r\n\u{202E}c\u{9B}") == "a\\u{1b}[31mb\n\\u{202e}c\\u{9b}")
        let result: JSONValue = ["content": [["type": "text", "text": "\u{1B}[2J"]]]
        #expect(ResultText(style: terminal).call(result) == "\\u{1b}[2J")
        #expect(ResultText(style: plain).call(result) == "\u{1B}[2J")
    }

    @Test func `text is wrapped at words and keeps its lines`() {
        let style = Style(isTerminal: false, hasColours: false, width: 26)
        #expect(
            style.wrapped("one two three four five six\n\nseven", indent: 4)
                == "    one two three four\n    five six\n\n    seven"
        )
    }

    @Test func `parameters show type, mark and default`() {
        let schema: JSONValue = [
            "properties": [
                "a": ["type": "string", "description": "the a"],
                "b": ["anyOf": [["type": "integer"], ["type": "null"]]],
                "c": ["type": "array", "items": ["$ref": "#/$defs/E"], "default": []],
            ],
            "required": ["a"], "$defs": ["E": ["enum": ["x", "y"]]],
        ]
        #expect(
            ShownParameter.ofTool(schema: schema) == [
                ShownParameter(name: "a", type: "string", isRequired: true, description: "the a"),
                ShownParameter(name: "b", type: "integer | null", isRequired: false, description: ""),
                ShownParameter(name: "c", type: "string[]", isRequired: false, description: "(default: [])"),
            ]
        )
        let table = ShownParameter.table(
            [ShownParameter(name: "a", type: "string", isRequired: true, description: "the a")],
            plain,
            indent: 2
        )
        #expect(table == ["  a  string  required  the a"])
    }

    @Test func `what is no text is told in a line`() {
        let result: JSONValue = [
            "content": [
                ["type": "image", "mimeType": "image/png", "data": "AAAA"],
                ["type": "resource_link", "uri": "file:///x", "name": "x"],
                ["type": "resource", "resource": ["uri": "file:///y", "text": "inside"]],
            ]
        ]
        #expect(
            ResultText(style: plain).call(result)
                == "[image image/png, 3 bytes]\n[link to file:///x, x]\ninside"
        )
    }
}
