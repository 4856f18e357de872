// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// Collects mistakes while values are taken out of the file; each taking says what was wrong and goes on.
struct ConfigurationFindings {
    /// The file as it is named in messages.
    let file: String
    /// The variables that texts may refer to.
    let variables: [String: String]
    /// What the mistakes of the part that is being read stop.
    var reach = ConfigurationIssue.Reach.gateway
    /// What was found so far.
    private(set) var issues: [ConfigurationIssue] = []

    init(file: String, variables: [String: String]) {
        self.file = file
        self.variables = variables
    }

    /// Notes a mistake at a place.
    mutating func note(
        _ severity: ConfigurationIssue.Severity,
        at position: JSON5Position?,
        _ path: String,
        _ message: String,
        hint: String? = nil
    ) {
        issues.append(
            ConfigurationIssue(
                severity: severity,
                reach: reach,
                file: file,
                line: position?.line ?? 0,
                column: position?.column ?? 0,
                keyPath: path,
                message: message,
                hint: hint
            )
        )
    }

    /// Notes an error at a value.
    mutating func error(_ node: ConfigurationNode, _ message: String, hint: String? = nil) {
        note(.error, at: node.position, node.path, message, hint: hint)
    }

    /// Notes a warning at a value.
    mutating func warning(_ node: ConfigurationNode, _ message: String, hint: String? = nil) {
        note(.warning, at: node.position, node.path, message, hint: hint)
    }

    /// Notes a key that means nothing here.
    mutating func unknown(
        _ member: ConfigurationMember,
        _ severity: ConfigurationIssue.Severity,
        known: [String]
    ) {
        let hint = KeySuggestion.hint(for: member.name, among: known)
        note(severity, at: member.position, member.node.path, "unknown key", hint: hint)
    }

    /// The first error noted after the first `count` issues.
    func firstError(after count: Int) -> ConfigurationIssue? {
        issues.dropFirst(count).first { $0.severity == .error }
    }

    /// Makes the errors after the first `count` issues warnings.
    mutating func soften(after count: Int) {
        for index in issues.indices.dropFirst(count) { issues[index].severity = .warning }
    }
}

// Taking a value of a type; nil says that the mistake is noted.
extension ConfigurationFindings {
    /// A text with its variables put in.
    mutating func string(_ node: ConfigurationNode) -> String? {
        guard case .string(let text) = node.value.content else {
            error(node, "must be a string, not \(node.value.kind)", hint: quotingHint(node))
            return nil
        }
        do {
            let whole = try VariableExpansion.expand(text, variables)
            guard !whole.utf8.contains(0) else {
                error(node, "must not hold the character NUL")
                return nil
            }
            return whole
        } catch {
            self.error(node, error.message, hint: error.hint)
            return nil
        }
    }

    private func quotingHint(_ node: ConfigurationNode) -> String? {
        switch node.value.content {
        case .number(let number): "write \"\(number.text)\""
        case .bool(let value): "write \"\(value)\""
        default: nil
        }
    }

    /// Texts.
    mutating func strings(_ node: ConfigurationNode) -> [String]? {
        guard let elements = node.elements else {
            error(node, "must be an array of strings, not \(node.value.kind)")
            return nil
        }
        let texts = elements.compactMap { string($0) }
        return texts.count == elements.count ? texts : nil
    }

    /// Yes or no.
    mutating func bool(_ node: ConfigurationNode) -> Bool? {
        if case .bool(let value) = node.value.content { return value }
        if isReference(node), let text = string(node) {
            if text == "true" { return true }
            if text == "false" { return false }
        } else if isReference(node) {
            return nil
        }
        error(node, "must be true or false\(instead(node))")
        return nil
    }

    /// A whole number within bounds.
    mutating func count(_ node: ConfigurationNode, _ range: ClosedRange<Int>) -> Int? {
        let wanted = "must be a whole number from \(range.lowerBound) to \(range.upperBound)"
        guard let number = number(node, wanted) else { return nil }
        guard let count = number.int, range.contains(count) else {
            error(node, wanted)
            return nil
        }
        return count
    }

    /// A time in seconds within bounds, with or without a fraction, to the millisecond.
    mutating func seconds(_ node: ConfigurationNode, _ range: ClosedRange<Double>) -> Duration? {
        let wanted =
            "must be a number of seconds from \(plain(range.lowerBound)) to \(plain(range.upperBound))"
        guard let number = number(node, wanted) else { return nil }
        let seconds = number.double
        guard seconds.isFinite, range.contains(seconds) else {
            error(node, wanted)
            return nil
        }
        return .milliseconds(Int64((seconds * 1000).rounded()))
    }

    /// A part of a whole: 0 to 1.
    mutating func ratio(_ node: ConfigurationNode) -> Double? {
        let wanted = "must be a number from 0 to 1"
        guard let number = number(node, wanted) else { return nil }
        guard number.double >= 0, number.double <= 1 else {
            error(node, wanted)
            return nil
        }
        return number.double
    }

    /// One of a few words.
    mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ node: ConfigurationNode,
        _ type: Choice.Type
    ) -> Choice? {
        guard let text = string(node) else { return nil }
        if let choice = Choice(rawValue: text) { return choice }
        let words = Choice.allCases.map(\.rawValue)
        let list = words.map { "\"\($0)\"" }.joined(separator: ", ")
        error(node, "must be one of \(list)", hint: KeySuggestion.hint(for: text, among: words))
        return nil
    }

    /// A number, or a text that refers to a variable and then reads as one.
    private mutating func number(_ node: ConfigurationNode, _ wanted: String) -> JSON5Number? {
        if case .number(let number) = node.value.content { return number }
        guard isReference(node) else {
            error(node, wanted + instead(node))
            return nil
        }
        guard let text = string(node) else { return nil }
        if let value = try? JSON5Reader.read(Array(text.utf8)), case .number(let number) = value.content {
            return number
        }
        error(node, wanted + "; the variable holds something else")
        return nil
    }

    private func isReference(_ node: ConfigurationNode) -> Bool {
        guard case .string(let text) = node.value.content else { return false }
        return VariableExpansion.isReference(text)
    }

    private func instead(_ node: ConfigurationNode) -> String {
        isReference(node) ? "; the variable holds something else" : ", not \(node.value.kind)"
    }

    private func plain(_ number: Double) -> String {
        Int(exactly: number).map { "\($0)" } ?? "\(number)"
    }
}
