// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// Puts variables into a text: `${VAR}`, `${VAR:-default}`, `${env:VAR}`; `$${` stands for `${`.
///
/// A default is taken if the variable is not set or empty. Everything else with a `$` stays as it is. What is put in is
/// not looked at again.
enum VariableExpansion {
    /// Why a text cannot be completed.
    struct Failure: Error, Equatable {
        var message: String
        var hint: String?
    }

    /// Whether a text refers to a variable at all.
    static func isReference(_ text: String) -> Bool { text.contains("${") }

    /// The text with its variables put in.
    ///
    /// Throws at the first that cannot be.
    static func expand(_ text: String, _ variables: [String: String]) throws(Failure) -> String {
        var output = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            output += rest[..<dollar]
            rest = rest[dollar...]
            if rest.hasPrefix("$${") {
                output += "${"
                rest = rest.dropFirst(3)
            } else if rest.hasPrefix("${") {
                let inside = rest.dropFirst(2)
                guard let end = inside.firstIndex(of: "}") else {
                    throw Failure(
                        message: "\"${\" without \"}\"",
                        hint: "\"$${\" stands for the characters themselves"
                    )
                }
                output += try value(inside[..<end], variables)
                rest = inside[inside.index(after: end)...]
            } else {
                output += "$"
                rest = rest.dropFirst()
            }
        }
        return output + rest
    }

    private static func value(_ reference: Substring, _ variables: [String: String]) throws(Failure) -> String
    {
        var name = reference
        var fallback: Substring?
        if let mark = reference.firstRange(of: ":-") {
            name = reference[..<mark.lowerBound]
            fallback = reference[mark.upperBound...]
        }
        if let fallback, fallback.contains("${") {
            throw Failure(message: "a default cannot refer to another variable", hint: nil)
        }
        if name.hasPrefix("env:") { name = name.dropFirst(4) }
        try refuseEditorVariable(name)
        guard isName(name) else {
            throw Failure(
                message: "\(shown(name)) names no variable",
                hint: "write ${NAME} or ${NAME:-default}, or \"$${\" for the characters themselves"
            )
        }
        let value = variables[String(name)]
        if let fallback { return value.flatMap { $0.isEmpty ? nil : $0 } ?? String(fallback) }
        guard let value else {
            throw Failure(
                message: "the variable \(name) is not set",
                hint: "set it, or give a default: ${\(name):-…}"
            )
        }
        return value
    }

    /// Refuses what only an editor can fill in.
    private static func refuseEditorVariable(_ name: Substring) throws(Failure) {
        if name.hasPrefix("input:") {
            throw Failure(
                message: "\(shown(name)) is asked from a person by an editor; there is nobody to ask here",
                hint: "use a variable of the environment: ${NAME}"
            )
        }
        let editorNames = [
            "workspaceFolder", "workspaceFolderBasename", "userHome", "pathSeparator", "file", "fileDirname",
            "cwd",
        ]
        guard
            editorNames.contains(String(name)) || name.hasPrefix("command:") || name.hasPrefix("config:")
                || name.hasPrefix("workspaceFolder:")
        else { return }
        throw Failure(
            message: "\(shown(name)) is only known to an editor",
            hint: name == "userHome"
                ? "write ${HOME}" : "write the path itself, or a variable of the environment"
        )
    }

    private static func shown(_ name: Substring) -> String { "${\(name)}".quoted }

    private static func isName(_ name: Substring) -> Bool {
        guard let first = name.utf8.first, !(first >= 0x30 && first <= 0x39) else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                true
            default: false
            }
        }
    }
}
