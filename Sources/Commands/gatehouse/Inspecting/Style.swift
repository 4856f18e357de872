// Gatehouse. SPDX-License-Identifier: MIT

import Glibc

/// How text looks on one of the standard streams.
struct Style {
    /// Whether a terminal shows it.
    let isTerminal: Bool
    /// Whether there are colours.
    let hasColours: Bool
    /// How many columns there are.
    let width: Int

    /// Finds out what a stream is.
    init(of descriptor: Int32) {
        isTerminal = isatty(descriptor) == 1
        let mayColour = Self.variable("NO_COLOR").isEmpty && Self.variable("TERM") != "dumb"
        hasColours = isTerminal && mayColour
        var size = winsize()
        let hasSize = isTerminal && ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
        width = hasSize ? max(40, min(Int(size.ws_col), 120)) : 100
    }

    /// A style for tests, or for text that goes nowhere special.
    init(isTerminal: Bool, hasColours: Bool, width: Int) {
        self.isTerminal = isTerminal
        self.hasColours = hasColours
        self.width = width
    }

    private static func variable(_ name: String) -> String {
        getenv(name).map { String(cString: $0) } ?? ""
    }

    func bold(_ text: String) -> String { marked(text, "1") }
    func dim(_ text: String) -> String { marked(text, "2") }
    func red(_ text: String) -> String { marked(text, "31") }
    func green(_ text: String) -> String { marked(text, "32") }
    func yellow(_ text: String) -> String { marked(text, "33") }
    func cyan(_ text: String) -> String { marked(text, "36") }

    private func marked(_ text: String, _ code: String) -> String {
        hasColours ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }

    /// Text of a server, so that it cannot steer the terminal: control characters, other than line feed and tab, are
    /// spelled out.
    static func safe(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
        var output = ""
        for scalar in text.unicodeScalars {
            if scalar == "\r" { continue }
            if isUnsafe(scalar) {
                output += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A: false
        // Controls, and those that turn the direction of what follows.
        case 0..<0x20, 0x7F..<0xA0, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    /// Text on lines that fit, each indented; line feeds in it are kept.
    func wrapped(_ text: String, indent: Int) -> String {
        let room = max(20, width - indent)
        let margin = String(repeating: " ", count: indent)
        var lines: [String] = []
        for paragraph in Self.safe(text).split(separator: "\n", omittingEmptySubsequences: false) {
            var line = ""
            for word in paragraph.split(whereSeparator: { $0 == " " || $0 == "\t" }) {
                if !line.isEmpty, line.count + 1 + word.count > room {
                    lines.append(margin + line)
                    line = ""
                }
                line += line.isEmpty ? String(word) : " " + word
            }
            lines.append(line.isEmpty ? "" : margin + line)
        }
        while lines.last == "" { lines.removeLast() }
        while lines.first == "" { lines.removeFirst() }
        return lines.joined(separator: "\n")
    }
}

extension String {
    /// The text and spaces up to a width.
    func padded(to width: Int) -> String {
        count >= width ? self : self + String(repeating: " ", count: width - count)
    }
}
