// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// A prompt as it is listed (2026-07-28, server/prompts, "Prompt").
public struct PromptDescription: Sendable, Equatable {
    /// Its name, for programs.
    public var name: String
    /// Its name, for people.
    public var title: String?
    /// What it is for.
    public var description: String?
    /// What it takes.
    public var arguments: [PromptArgument]
    /// Its icons.
    public var icons: [Icon]

    /// Makes a description.
    public init(
        name: String,
        title: String? = nil,
        description: String? = nil,
        arguments: [PromptArgument] = [],
        icons: [Icon] = []
    ) {
        self.name = name
        self.title = title
        self.description = description
        self.arguments = arguments
        self.icons = icons
    }

    var wire: JSONValue {
        .of([
            "name": .string(name), "title": title.map { .string($0) },
            "description": description.map { .string($0) },
            "arguments": arguments.isEmpty ? nil : .array(arguments.map(\.wire)), "icons": icons.wire,
        ])
    }
}

/// An argument of a prompt.
public struct PromptArgument: Sendable, Equatable {
    /// Its name, for programs.
    public var name: String
    /// Its name, for people.
    public var title: String?
    /// What it means.
    public var description: String?
    /// Whether a prompt without it is refused.
    public var isRequired: Bool

    /// Makes an argument.
    public init(_ name: String, title: String? = nil, description: String? = nil, isRequired: Bool = false) {
        self.name = name
        self.title = title
        self.description = description
        self.isRequired = isRequired
    }

    var wire: JSONValue {
        .of([
            "name": .string(name), "title": title.map { .string($0) },
            "description": description.map { .string($0) }, "required": .bool(isRequired),
        ])
    }
}

/// Who speaks in a conversation with a model.
public enum Role: String, Sendable {
    /// The person.
    case user
    /// The model.
    case assistant
}

/// A message of a prompt.
public struct PromptMessage: Sendable, Equatable {
    /// Who speaks.
    public var role: Role
    /// What is said.
    public var content: Content

    /// Makes a message.
    public init(_ role: Role, _ content: Content) {
        self.role = role
        self.content = content
    }

    /// A text that the person says.
    public static func user(_ text: String) -> PromptMessage { PromptMessage(.user, .text(text)) }

    /// A text that the model says.
    public static func assistant(_ text: String) -> PromptMessage { PromptMessage(.assistant, .text(text)) }

    var wire: JSONValue { ["role": .string(role.rawValue), "content": content.wire] }
}

/// What a prompt gives.
public struct PromptResult: Sendable, Equatable {
    /// What it is, with these arguments.
    public var description: String?
    /// The messages, in order.
    public var messages: [PromptMessage]

    /// Makes a result.
    public init(_ messages: [PromptMessage], description: String? = nil) {
        self.messages = messages
        self.description = description
    }

    var wire: JSONValue {
        .of(["description": description.map { .string($0) }, "messages": .array(messages.map(\.wire))])
    }
}
