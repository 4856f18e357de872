// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

/// The fields that a `Parameters` type declares, in order.
struct Declarations: Sendable {
    /// A field.
    struct Field: Sendable {
        /// The property's name.
        var property: String
        /// The name that clients use.
        var name: String
        var parameter: any DeclaredParameter
    }

    let fields: [Field]
    let allowsUnknownFields: Bool

    /// Reads the declarations of a type.
    ///
    /// What cannot be declared so is a mistake of the program, which ends with a message that names it.
    init(_ type: any Parameters.Type) {
        var fields: [Field] = []
        for child in Mirror(reflecting: type.init()).children {
            guard let label = child.label, let parameter = child.value as? any DeclaredParameter else {
                continue
            }
            let property = label.hasPrefix("_") ? String(label.dropFirst()) : label
            let name = parameter.rules.name ?? property
            precondition(
                !fields.contains { $0.name.hasSameBytes(as: name) },
                "\(type) declares two fields named \"\(name)\""
            )
            if let mistake = parameter.rules.mistake(for: parameter.typeSchema(.input)) {
                preconditionFailure("\(type).\(property): \(mistake)")
            }
            fields.append(Field(property: property, name: name, parameter: parameter))
        }
        self.fields = fields
        allowsUnknownFields = type.allowsUnknownFields
    }

    /// The field of a property.
    subscript(property: String) -> Field? { fields.first { $0.property.hasSameBytes(as: property) } }

    /// The schema of an object with these fields.
    func schema(_ use: SchemaUse) -> JSONValue {
        let required = fields.filter { use == .output || $0.parameter.isRequired }.map(\.name)
        let properties = fields.map { field in
            JSONValue.Member(
                field.name,
                field.parameter.rules.published(
                    field.parameter.typeSchema(use),
                    default: field.parameter.defaultValue,
                    use
                )
            )
        }
        return .of([
            "type": "object", "properties": .object(properties), "required": .strings(required),
            "additionalProperties": use == .input && !allowsUnknownFields ? false : nil,
        ])
    }

    /// Makes a value of what a client gave.
    ///
    /// - Parameters:
    ///   - type: The type that declares the fields.
    ///   - value: What came.
    ///   - allowsUnknownFields: Whether fields that are not declared pass.
    /// - Returns: The value.
    /// - Throws: `ArgumentIssues`, all that is wrong.
    func decode<Group: Parameters>(
        _ type: Group.Type,
        _ value: JSONValue,
        allowsUnknownFields: Bool = false
    ) throws -> Group {
        let report = Report()
        do {
            let group = try ArgumentDecoder.decode(
                type,
                value,
                at: [],
                report,
                refusesUnknown: !allowsUnknownFields,
                declarations: self
            )
            guard report.issues.isEmpty else { throw ArgumentIssues(issues: report.issues) }
            return group
        } catch let issue as ArgumentIssue {
            throw ArgumentIssues(issues: report.issues + [issue])
        }
    }
}
