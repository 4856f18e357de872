// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

@testable import MCPServer

enum Colour: String, Codable, CaseIterable, TitledChoice {
    case red, green
    var title: String { self == .red ? "Red" : "Green" }
}

struct SignUp: Parameters {
    @Parameter("How to call you.", title: "Name", minLength: 1) var name: String
    @Parameter("Where to write to.", format: .email) var address: String?
    @Parameter("Your age.", default: 30, minimum: 0, maximum: 150) var age: Int
    @Parameter("Whether you agree.", default: true) var agrees: Bool
    @Parameter("A colour.", default: .green) var colour: Colour
    @Parameter("Some colours.", default: [], maxItems: 2) var colours: [Colour]
    @Parameter("Ways to pay.") var methods: [PaymentMethod]?
    @Parameter("A day.", format: .date) var day: String?
}

struct Registers: Tool {
    static let name = "registers"
    static let summary = "Asks for a form."
    func call(_ context: ToolContext<Void>) async throws -> String {
        context.reportProgress(1, of: 2, message: "asking")
        context.log(.info, "asking")
        switch try await context.elicit("Who are you?", as: SignUp.self, key: "who") {
        case .accept(let form):
            let colours = form.colours.map(\.rawValue).joined(separator: "+")
            return "\(form.name) \(form.address ?? "-") \(form.age) \(form.agrees) \(form.colour) \(colours)"
        case .decline: return "declined"
        case .cancel: return "cancelled"
        }
    }
}

@Suite struct TypedAskingTests {
    private func answered(_ answer: JSONValue) async throws -> String {
        let bench = Bench(Registers.self)
        bench.services.answer("who", answer)
        return try await bench.text([:])
    }

    @Test func `a form's schema is flat and has what clients know`() throws {
        let question = InputRequest.form("Who are you?", as: SignUp.self, key: "who")
        #expect(question.method == "elicitation/create")
        #expect(question.params["message"] == "Who are you?")
        let schema = try #require(question.params["requestedSchema"])
        #expect(
            schema
                == (try json(
                    #"""
                    {"type":"object","properties":{
                      "name":{"type":"string","title":"Name","description":"How to call you.","minLength":1},
                      "address":{"type":"string","description":"Where to write to.","format":"email"},
                      "age":{"type":"integer","description":"Your age.","minimum":0,"maximum":150,"default":30},
                      "agrees":{"type":"boolean","description":"Whether you agree.","default":true},
                      "colour":{"type":"string","oneOf":[{"const":"red","title":"Red"},{"const":"green","title":"Green"}],
                        "description":"A colour.","default":"green"},
                      "colours":{"type":"array","items":{"anyOf":[{"const":"red","title":"Red"},
                        {"const":"green","title":"Green"}]},"description":"Some colours.","maxItems":2,"default":[]},
                      "methods":{"type":"array","items":{"type":"string","enum":["creditCard","cash","barter"]},
                        "description":"Ways to pay."},
                      "day":{"type":"string","description":"A day.","format":"date"}},
                     "required":["name"]}
                    """#
                )),
            "\(text(schema))"
        )
    }

    @Test func `what the person did comes back as a value`() async throws {
        let full: JSONValue = ["name": "Ann", "address": "a@b.example", "colours": ["red", "green"]]
        #expect(
            try await answered(["action": "accept", "content": full])
                == "Ann a@b.example 30 true green red+green"
        )
        #expect(try await answered(["action": "decline"]) == "declined")
        #expect(try await answered(["action": "cancel"]) == "cancelled")
    }

    @Test func `an answer that does not fit says where`() async throws {
        await #expect(
            throws: AskError.malformed("Invalid arguments: name is missing; age must be at most 150")
        ) {
            _ = try await answered(["action": "accept", "content": ["age": 151]])
        }
        await #expect(throws: AskError.malformed("Invalid arguments: day must be of the form date")) {
            _ = try await answered(["action": "accept", "content": ["name": "A", "day": "2026-02-30"]])
        }
        await #expect(throws: AskError.self) { _ = try await answered(["action": "maybe"]) }
        await #expect(throws: AskError.self) { _ = try await answered(.null) }
    }

    @Test func `progress and log messages go to the engine`() async throws {
        let bench = Bench(Registers.self)
        bench.services.answer("who", ["action": "cancel"])
        _ = try await bench.text([:])
        #expect(bench.services.said == ["1.0 of 2.0: asking", #"info: "asking""#])
        #expect(bench.services.asked.map(\.key) == ["who"])
    }

    @Test func `pages, models and roots are asked in the protocol's words`() async throws {
        let services = TestServices()
        services.answer("url", ["action": "accept"])
        services.answer(
            "sampling",
            [
                "role": "assistant", "model": "m", "stopReason": "endTurn",
                "content": ["type": "text", "text": "hi"],
            ]
        )
        services.answer("roots", ["roots": [["uri": "file:///a", "name": "A"], ["uri": "file:///b"]]])
        let context = RequestContext(services)
        #expect(try await context.openURL("Sign in", url: "https://a.example/") == .accept([:]))
        let said = try await context.sample(SamplingRequest([.user("Hello")], maxTokens: 10))
        #expect(said.text == "hi")
        #expect(said.model == "m")
        #expect(try await context.roots() == [Root(uri: "file:///a", name: "A"), Root(uri: "file:///b")])
        let asked = services.asked.map { "\($0.method) \(text($0.params))" }
        #expect(
            asked == [
                #"elicitation/create {"mode":"url","message":"Sign in","url":"https://a.example/"}"#,
                #"sampling/createMessage {"messages":[{"role":"user","content":{"type":"text","text":"Hello"}}],"#
                    + #""maxTokens":10}"#,
                "roots/list {}",
            ]
        )
    }
}
