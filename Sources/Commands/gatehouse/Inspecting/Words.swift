// Gatehouse. SPDX-License-Identifier: MIT

/// Takes a line apart into words, as shells do it: white space separates, quotes keep together.
enum Words {
    /// The words of a line; nil if a quote is not closed.
    ///
    /// Within double quotes and outside of quotes, a backslash stands for the character after it. A word that begins with
    /// `{` or `[` goes up to the end of the line as it is, so that JSON needs no quotes.
    static func split(_ line: String) -> [String]? {
        var words: [String] = []
        var word: String?
        var rest = line[...]
        while let first = rest.first {
            if word == nil, first == "{" || first == "[" {
                while rest.last?.isWhitespace == true { rest.removeLast() }
                return words + [String(rest)]
            }
            rest.removeFirst()
            switch first {
            case "'":
                guard let end = rest.firstIndex(of: "'") else { return nil }
                word = (word ?? "") + rest[..<end]
                rest = rest[rest.index(after: end)...]
            case "\"":
                guard let text = quoted(&rest) else { return nil }
                word = (word ?? "") + text
            case "\\":
                guard let next = rest.popFirst() else { return nil }
                word = (word ?? "") + String(next)
            case _ where first.isWhitespace:
                if let whole = word.take() { words.append(whole) }
            default: word = (word ?? "") + String(first)
            }
        }
        return words + (word.map { [$0] } ?? [])
    }

    /// What stands before the closing double quote.
    private static func quoted(_ rest: inout Substring) -> String? {
        var text = ""
        while let character = rest.popFirst() {
            if character == "\"" { return text }
            if character == "\\", let next = rest.popFirst() {
                // As in a shell, only what would mean something else loses its backslash.
                text += next == "\"" || next == "\\" ? String(next) : "\\" + String(next)
            } else {
                text.append(character)
            }
        }
        return nil
    }
}
