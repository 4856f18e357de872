// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import MCPCore

/// Judges values by the official schema of a revision (Tests/Vectors/mcp-schema), which uses a small part of JSON Schema.
struct SchemaJudge {
    private let definitions: [String: JSONValue]

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Vectors/mcp-schema")

    private static let judges: [Revision: SchemaJudge] = {
        var judges: [Revision: SchemaJudge] = [:]
        for revision in Revision.allCases { judges[revision] = try? SchemaJudge(revision) }
        return judges
    }()

    /// What is wrong with a value that should be of this type, as sentences; empty if it is one.
    static func faults(_ value: JSONValue, as type: String, _ revision: Revision) -> [String] {
        guard let judge = judges[revision], let definition = judge.definitions[type] else {
            return ["\(revision.rawValue) has no \(type)"]
        }
        return judge.faults(value, definition, at: type)
    }

    /// Whether a revision has a type.
    static func knows(_ type: String, _ revision: Revision) -> Bool {
        judges[revision]?.definitions[type] != nil
    }

    private init(_ revision: Revision) throws {
        let bytes = [UInt8](try Data(contentsOf: Self.folder.appending(path: "\(revision.rawValue).json")))
        let root = try JSONValue(bytes.span)
        let members = (root["$defs"] ?? root["definitions"])?.members ?? []
        definitions = Dictionary(members.map { ($0.name, $0.value) }) { first, _ in first }
    }

    private func faults(_ value: JSONValue, _ schema: JSONValue, at path: String) -> [String] {
        if let reference = schema["$ref"]?.string, let name = reference.split(separator: "/").last {
            guard let target = definitions[String(name)] else { return ["\(path): no \(reference)"] }
            return faults(value, target, at: path)
        }
        var found: [String] = []
        if let types = schema["type"], !(types.array ?? [types]).contains(where: { isOf($0.string, value) }) {
            found.append("\(path): not of type \(String(decoding: types.text(), as: UTF8.self))")
        }
        if let constant = schema["const"], constant != value { found.append("\(path): not the constant") }
        if let allowed = schema["enum"]?.array, !allowed.contains(value) {
            found.append("\(path): not allowed")
        }
        if let least = number(schema["minimum"]), let given = number(value), given < least {
            found.append("\(path): too small")
        }
        if let most = number(schema["maximum"]), let given = number(value), given > most {
            found.append("\(path): too large")
        }
        for part in schema["allOf"]?.array ?? [] { found += faults(value, part, at: path) }
        if let choices = schema["anyOf"]?.array,
            !choices.contains(where: { faults(value, $0, at: path).isEmpty })
        {
            found.append("\(path): none of the choices")
        }
        if let elements = value.array, let items = schema["items"] {
            for (index, element) in elements.enumerated() {
                found += faults(element, items, at: "\(path)[\(index)]")
            }
        }
        guard let members = value.members else { return found }
        for name in schema["required"]?.array ?? [] where value[name.string ?? ""] == nil {
            found.append("\(path): lacks \(name.string ?? "")")
        }
        for member in members {
            let inner = "\(path).\(member.name)"
            if let property = schema["properties"]?[member.name] {
                found += faults(member.value, property, at: inner)
            } else if let other = schema["additionalProperties"], other.members != nil {
                found += faults(member.value, other, at: inner)
            }
        }
        return found
    }

    private func isOf(_ type: String?, _ value: JSONValue) -> Bool {
        switch value {
        case .null: type == "null"
        case .bool: type == "boolean"
        case .number(let text): type == "number" || type == "integer" && Int(text) != nil
        case .string: type == "string"
        case .array: type == "array"
        case .object: type == "object"
        }
    }

    private func number(_ value: JSONValue?) -> Double? {
        guard case .number(let text)? = value else { return nil }
        return Double(text)
    }
}

/// Reads a value that a test writes as text.
func json(_ text: String) throws -> JSONValue {
    let bytes = Array(text.utf8)
    return try JSONValue(bytes.span)
}
