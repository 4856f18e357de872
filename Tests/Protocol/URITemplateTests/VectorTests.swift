// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing
import URITemplate

/// The vectors of uritemplate-test (Tests/Vectors/uritemplate; their licence stands beside them).
@Suite struct VectorTests {
    private static func groups(_ file: String) throws -> [JSONValue.Member] {
        let url = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Vectors/uritemplate/\(file).json")
        let bytes = [UInt8](try Data(contentsOf: url))
        return try #require(try JSONValue(bytes.span).members)
    }

    private static func text(_ value: JSONValue) -> String? {
        switch value {
        case .string(let text), .number(let text): text
        default: nil
        }
    }

    private static func variables(_ group: JSONValue) throws -> [String: URITemplate.Value] {
        var values: [String: URITemplate.Value] = [:]
        for member in try #require(group["variables"]?.members) {
            switch member.value {
            case .null: continue
            case .array(let list): values[member.name] = .list(list.compactMap(text))
            case .object(let pairs):
                values[member.name] = .pairs(try pairs.map { .init($0.name, try #require(text($0.value))) })
            default: values[member.name] = .text(try #require(text(member.value)))
            }
        }
        return values
    }

    @Test(arguments: [("spec-examples", 64), ("spec-examples-by-section", 117), ("extended-tests", 53)])
    func `every template expands as its author says`(_ file: String, _ count: Int) throws {
        var seen = 0
        for group in try Self.groups(file) {
            let variables = try Self.variables(group.value)
            for test in try #require(group.value["testcases"]?.array).compactMap(\.array) {
                let text = try #require(test[0].string)
                let allowed = try test[1].array?.compactMap(\.string) ?? [#require(test[1].string)]
                let expanded = try URITemplate(text).expand(variables)
                #expect(allowed.contains(expanded), "\(group.name): \(text) gave \(expanded)")
                seen += 1
            }
        }
        #expect(seen == count)
    }

    @Test func `every broken template is refused`() throws {
        var seen = 0
        for group in try Self.groups("negative-tests") {
            let variables = try Self.variables(group.value)
            for test in try #require(group.value["testcases"]?.array).compactMap(\.array) {
                let text = try #require(test[0].string)
                #expect(throws: URITemplateError.self, "\(text)") { try URITemplate(text).expand(variables) }
                seen += 1
            }
        }
        #expect(seen == 36)
    }

    /// All but a fragment in the middle can be undone.
    @Test func `what levels 1 to 3 expand to is matched`() throws {
        var seen = 0
        for group in try Self.groups("spec-examples") where group.value["level"]?.integer != 4 {
            let variables = try Self.variables(group.value)
            for test in try #require(group.value["testcases"]?.array).compactMap(\.array) {
                let template = try URITemplate(try #require(test[0].string))
                guard template.canMatch else { continue }
                let uri = try template.expand(variables)
                let expected = template.variables.reduce(into: [String: String]()) { found, name in
                    if case .text(let text) = variables[name] { found[name] = text }
                }
                #expect(template.match(uri) == expected, "\(template.text) and \(uri)")
                seen += 1
            }
        }
        #expect(seen == 22)
    }
}
