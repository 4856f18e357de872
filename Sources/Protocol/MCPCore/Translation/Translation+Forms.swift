// Gatehouse. SPDX-License-Identifier: MIT

import JSON

extension Translation {
    /// A form in the words of 2025-06-18: choices by `enum` with names, defaults for truth values only.
    ///
    /// A choice of several values has no words there. Nobody can fill such a field, so it is left out, unless it must be
    /// filled.
    ///
    /// - Returns: Nil if a field that must be filled cannot be carried.
    static func olderForm(_ params: JSONValue) -> JSONValue? {
        let schema = params["requestedSchema"] ?? .emptyObject
        let required = schema["required"]?.array ?? []
        var fields: [JSONValue.Member] = []
        for field in schema["properties"]?.members ?? [] {
            if let older = olderField(field.value) {
                fields.append(JSONValue.Member(field.name, older))
            } else if required.contains(.string(field.name)) {
                return nil
            }
        }
        return params.setting("requestedSchema", schema.setting("properties", .object(fields)))
    }

    private static func olderField(_ field: JSONValue) -> JSONValue? {
        guard field["type"] != "array" else { return nil }
        guard field["type"] != "boolean" else { return field }
        let field = field.removing(["default"])
        guard let choices = field["oneOf"]?.array else { return field }
        let values = choices.compactMap { $0["const"] }
        guard values.count == choices.count else { return field }
        let names = choices.map { $0["title"] ?? $0["const"] ?? "" }
        return field.removing(["oneOf"]).setting("enum", .array(values)).setting("enumNames", .array(names))
    }
}
