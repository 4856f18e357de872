// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPClient

/// What `inspect` says beside the result, on standard error.
final class Talk {
    let style = Style(of: 2)
    private let isVerbose: Bool
    /// Whether a line of progress stands on the terminal that the next one replaces.
    private var hasProgress = false

    init(isVerbose: Bool) { self.isVerbose = isVerbose }

    /// How far a call is: on a terminal in one line that changes, else a line each.
    func progress(_ params: JSONValue) {
        let done = params["progress"].flatMap(Self.number) ?? 0
        var text = Self.short(done)
        if let total = params["total"].flatMap(Self.number), total > 0 {
            text = "\(Self.short(done)) of \(Self.short(total))"
        }
        if let message = params["message"]?.string { text += "  " + Style.safe(message) }
        guard style.isTerminal else { return Terminal.say(text) }
        let line = text.replacing("\n", with: " ").prefix(style.width - 1)
        Terminal.put("\r\u{1B}[K" + style.dim(String(line)), on: 2)
        hasProgress = true
    }

    /// What a server tells without being asked.
    func event(_ event: ClientEvent) {
        switch event {
        case .diagnostics(let bytes):
            guard isVerbose else { return }
            say(style.dim(Style.safe(String(decoding: bytes, as: UTF8.self)).trimmingNewlines))
        case .task(let id, let status, let message):
            let more = message.map { ": \($0)" } ?? ""
            say(style.dim(Style.safe("[task \(id)] \(status)\(more)")))
        case .warning(let text):
            guard isVerbose else { return }
            say(style.yellow("warning: ") + Style.safe(text))
        case .notification("notifications/message", let params):
            let level = params["level"]?.string ?? "info"
            let logger = params["logger"]?.string.map { " \($0):" } ?? ""
            let data = params["data"] ?? .null
            let text = data.string ?? String(decoding: data.text(), as: UTF8.self)
            say(style.dim(Style.safe("[\(level)]\(logger)")) + " " + Style.safe(text))
        case .notification(let method, _):
            guard isVerbose else { return }
            say(style.dim(Style.safe("[\(method)]")))
        }
    }

    /// What went wrong.
    func failure(_ text: String) {
        say(style.red("gatehouse inspect: ") + Style.safe(text))
    }

    /// What is good to know.
    func note(_ text: String) { say(style.dim(Style.safe(text))) }

    /// What stands before a line that is to be entered.
    func prompt(_ text: String) {
        endProgress()
        Terminal.put(text, on: 2)
    }

    func say(_ text: String) {
        endProgress()
        Terminal.say(text)
    }

    /// Takes the line of progress away.
    func endProgress() {
        guard hasProgress else { return }
        hasProgress = false
        Terminal.put("\r\u{1B}[K", on: 2)
    }

    private static func number(_ value: JSONValue) -> Double? {
        guard case .number(let text) = value, let number = Double(text), number.isFinite else { return nil }
        return number
    }

    private static func short(_ number: Double) -> String {
        number == number.rounded() && abs(number) < 1e15 ? String(Int(number)) : String(number)
    }
}

extension String {
    fileprivate var trimmingNewlines: String {
        var text = self[...]
        while text.last?.isNewline == true { text.removeLast() }
        return String(text)
    }
}
