// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPClient

/// A parameter of a tool, or an argument of a prompt, as it is shown.
struct ShownParameter: Equatable {
    var name: String
    var type: String
    var isRequired: Bool
    var description: String

    /// The same, of what a tool gives: nobody has to provide that.
    var asOutput: ShownParameter {
        var copy = self
        copy.isRequired = false
        return copy
    }

    /// The parameters of a tool, in the order of its schema.
    static func ofTool(schema: JSONValue) -> [ShownParameter] {
        let required = schema["required"]?.array?.compactMap(\.string) ?? []
        return (schema["properties"]?.members ?? []).map { property in
            var description = property.value["description"]?.string ?? title(property) ?? ""
            if let value = property.value["default"] {
                description += (description.isEmpty ? "" : " ") + "(default: \(text(value)))"
            }
            return ShownParameter(
                name: property.name,
                type: type(property.value, in: schema),
                isRequired: required.contains { $0.utf8.elementsEqual(property.name.utf8) },
                description: description
            )
        }
    }

    /// The arguments of a prompt, which are all texts.
    static func ofPrompt(_ prompt: JSONValue) -> [ShownParameter] {
        (prompt["arguments"]?.array ?? []).map { argument in
            ShownParameter(
                name: argument["name"]?.string ?? "",
                type: "string",
                isRequired: argument["required"]?.bool ?? false,
                description: argument["description"]?.string ?? ""
            )
        }
    }

    /// A title that says more than the name; many servers make theirs of the name.
    private static func title(_ property: JSONValue.Member) -> String? {
        guard let title = property.value["title"]?.string else { return nil }
        let letters = title.lowercased().filter { $0 != " " }
        return letters == property.name.lowercased().filter { $0 != "_" } ? nil : title
    }

    /// What a schema allows, in few words.
    private static func type(_ schema: JSONValue, in root: JSONValue, depth: Int = 0) -> String {
        if let values = schema["enum"]?.array, !values.isEmpty, values.count <= 6 {
            return values.map(text).joined(separator: " | ")
        }
        if let alternatives = schema["anyOf"]?.array ?? schema["oneOf"]?.array, depth < 4 {
            return alternatives.map { type($0, in: root, depth: depth + 1) }.joined(separator: " | ")
        }
        let types = SchemaTypes.of(schema, in: root) ?? ["any"]
        let names = types.map { name in
            guard name == "array", let items = schema["items"], depth < 4 else { return name }
            let inner = type(items, in: root, depth: depth + 1)
            return inner.contains(" ") ? "(\(inner))[]" : "\(inner)[]"
        }
        return names.joined(separator: " | ")
    }

    private static func text(_ value: JSONValue) -> String {
        String(decoding: value.text(), as: UTF8.self)
    }

    /// Several in columns, each with its description beside or below.
    static func table(_ parameters: [ShownParameter], _ style: Style, indent: Int) -> [String] {
        let nameWidth = parameters.map { Style.safe($0.name).count }.max() ?? 0
        let typeWidth = min(24, parameters.map { Style.safe($0.type).count }.max() ?? 0)
        let margin = String(repeating: " ", count: indent)
        let column = indent + nameWidth + typeWidth + 14
        return parameters.map { parameter in
            let type = Style.safe(parameter.type)
            let mark = parameter.isRequired ? "required" : "        "
            let head =
                margin + style.cyan(Style.safe(parameter.name).padded(to: nameWidth)) + "  "
                + style.dim(type.padded(to: typeWidth)) + "  " + style.yellow(mark)
            guard !parameter.description.isEmpty else {
                return parameter.isRequired ? head : head.replacing("  " + style.yellow(mark), with: "")
            }
            let description = style.wrapped(parameter.description, indent: column)
            if type.count > typeWidth || column > style.width / 2 {
                return head + "\n" + style.wrapped(parameter.description, indent: indent + 4)
            }
            return head + "  " + description.drop { $0 == " " }
        }
    }
}
