// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// Fills in a form, field by field.
///
/// An empty line takes the default, or leaves out what is not required. `/decline` and `/cancel` end it in any field.
struct FormDialogue: Dialogue {
    private let request: ServerRequest
    private let style: Style
    private let fields: [ElicitationField]
    private var content: [JSONValue.Member] = []
    private var index = 0

    init(_ request: ServerRequest, _ style: Style) {
        self.request = request
        self.style = style
        fields = ElicitationField.all(in: request.params["requestedSchema"] ?? .null)
    }

    var opening: [String] {
        let message = request.params["message"]?.string ?? ""
        let advice =
            fields.isEmpty ? [] : ["An empty line takes what is in brackets, or leaves a field out."]
        return [Dialogues.heading("The server asks:", request, style), style.wrapped(message, indent: 2)]
            + (advice + ["/decline refuses, /cancel breaks off."]).map { style.dim($0) } + introduction
    }

    var prompt: String {
        guard let field else { return "Send it? (y or n): " }
        var text = Style.safe(field.title)
        if !field.hint.isEmpty { text += style.dim(" (\(Style.safe(field.hint)))") }
        if let initial = field.initial {
            text += style.cyan(" [\(Style.safe(Self.shown(initial)))]")
        } else if field.isRequired {
            text += style.yellow(" required")
        }
        return text + ": "
    }

    var answerAtEnd: Result<JSONValue, Failure> { .success(["action": "cancel"]) }

    mutating func take(_ line: String) -> DialogueStep {
        switch line {
        case "/decline": return .done(.success(["action": "decline"]))
        case "/cancel": return .done(.success(["action": "cancel"]))
        default: break
        }
        guard let field else { return takeConsent(line) }
        if line.utf8.isEmpty {
            if let initial = field.initial {
                content.append(.init(field.name, initial))
            } else if field.isRequired {
                return .more([style.yellow("this is required")])
            }
        } else {
            do throws(ElicitationField.Misfit) {
                content.append(.init(field.name, try field.value(of: line)))
            } catch {
                return .more([style.yellow(Style.safe(error.message))])
            }
        }
        index += 1
        return self.field == nil ? accepted : .more(introduction)
    }

    /// The field that is asked; nil where there is none at all, or none left.
    private var field: ElicitationField? { index < fields.count ? fields[index] : nil }

    private var accepted: DialogueStep {
        .done(.success(["action": "accept", "content": .object(content)]))
    }

    private func takeConsent(_ line: String) -> DialogueStep {
        switch line.lowercased() {
        case "y", "yes": accepted
        case "n", "no": .done(.success(["action": "decline"]))
        default: .more([style.yellow("answer y or n")])
        }
    }

    /// What is said before the prompt of a field: its description, and what can be chosen.
    private var introduction: [String] {
        guard let field else { return [] }
        var lines: [String] = []
        if let description = field.description, !description.isEmpty {
            lines.append(style.dim(style.wrapped(description, indent: 0)))
        }
        switch field.kind {
        case .choice(let choices), .choices(let choices, _):
            for (index, choice) in choices.enumerated() {
                let value = choice.title == choice.value ? "" : style.dim(" = \(Style.safe(choice.value))")
                lines.append("  \(index + 1)  \(Style.safe(choice.title))\(value)")
            }
        default: break
        }
        return lines
    }

    private static func shown(_ value: JSONValue) -> String {
        value.string ?? String(decoding: value.text(), as: UTF8.self)
    }
}
