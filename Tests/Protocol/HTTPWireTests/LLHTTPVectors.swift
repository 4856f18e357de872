// Gatehouse. SPDX-License-Identifier: MIT

import Foundation

/// The request cases of llhttp (Tests/Vectors/llhttp; their licence stands beside them).
///
/// A case is a block fenced by "```http" below a heading. Its last line feed is dropped, a backslash at the end of a
/// line joins it with the next, every line feed stands for CRLF, and `\r \n \t \f \xHH \NNN` stand for bytes.
struct LLHTTPCase {
    var file: String
    /// Its place in the file, from 1.
    var number: Int
    var title: String
    var bytes: [UInt8]

    /// The same with `Host: h` as the first field of every request; nil where a `Host` is there or no request line is.
    var withHost: [UInt8]? {
        var lines: [ArraySlice<UInt8>] = []
        for line in bytes.split(separator: 10, omittingEmptySubsequences: false) {
            if line.starts(with: Array("Host:".utf8)) { return nil }
            lines.append(line)
            if line.ends(with: " HTTP/1.0\r") || line.ends(with: " HTTP/1.1\r") {
                lines.append(Array("Host: h\r".utf8)[...])
            }
        }
        let output = Array(lines.joined(separator: [10]))
        return output == bytes ? nil : output
    }

    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Vectors/llhttp")

    static func all() throws -> [LLHTTPCase] {
        let files = try FileManager.default.contentsOfDirectory(
            atPath: folder.appending(path: "request").path
        )
        return try files.filter { $0.hasSuffix(".md") }.sorted().flatMap { file in
            let text = try String(contentsOf: folder.appending(path: "request/\(file)"), encoding: .utf8)
            return cases(in: text, file: file)
        }
    }

    static func cases(in text: String, file: String) -> [LLHTTPCase] {
        var cases: [LLHTTPCase] = []
        var title = ""
        var block: [Substring]?
        for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
            if let lines = block {
                if line == "```" {
                    let bytes = decode(Array(lines.joined(separator: "\n").utf8))
                    cases.append(LLHTTPCase(file: file, number: cases.count + 1, title: title, bytes: bytes))
                    block = nil
                } else {
                    block = lines + [line]
                }
            } else if line == "```http" {
                block = []
            } else if line.hasPrefix("#") {
                title = line.drop { $0 == "#" }.trimmingCharacters(in: .whitespaces)
            }
        }
        return cases
    }

    static func decode(_ text: [UInt8]) -> [UInt8] {
        var output: [UInt8] = []
        var rest = text[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\n") {
                output += [13, 10]
            } else if byte == UInt8(ascii: "\\"), let (bytes, length) = escape(rest) {
                output += bytes
                rest = rest.dropFirst(length)
            } else {
                output.append(byte)
            }
        }
        return output
    }

    /// The bytes that an escape stands for and how long it is behind its backslash; nil if it is none.
    private static func escape(_ text: ArraySlice<UInt8>) -> ([UInt8], Int)? {
        guard let first = text.first else { return nil }
        switch first {
        case UInt8(ascii: "\n"): return ([], 1)
        case UInt8(ascii: "r"): return ([13], 1)
        case UInt8(ascii: "n"): return ([10], 1)
        case UInt8(ascii: "t"): return ([9], 1)
        case UInt8(ascii: "f"): return ([12], 1)
        case UInt8(ascii: "x"):
            let digits = String(decoding: text.dropFirst().prefix(2), as: UTF8.self)
            return UInt8(digits, radix: 16).map { ([$0], 3) }
        default:
            let digits = text.prefix(3).prefix { (UInt8(ascii: "0")...UInt8(ascii: "7")).contains($0) }
            return UInt8(String(decoding: digits, as: UTF8.self), radix: 8).map { ([$0], digits.count) }
        }
    }
}

extension ArraySlice<UInt8> {
    fileprivate func ends(with text: String) -> Bool {
        suffix(text.utf8.count).elementsEqual(text.utf8)
    }
}
