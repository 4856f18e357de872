// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import HTTPWire
import Testing

/// Our verdict on every request case of llhttp stands in Tests/Vectors/llhttp/verdicts.txt.
///
/// A line is: file, number, title, verdict, and where `Host` is missing the verdict with one put in.
/// Verdicts: `accept N`, N messages; `unread N`, bytes follow after the Nth closed the connection; `incomplete N`,
/// more is awaited after N; `refuse KIND N`, after N. To write the table anew, set GATEHOUSE_RECORD=1.
@Suite struct LLHTTPVectorTests {
    private static let table = LLHTTPCase.folder.appending(path: "verdicts.txt")

    private static func verdict(_ bytes: [UInt8]) -> String {
        let transcript = read(bytes)
        let count = transcript.messages.count(where: \.isComplete)
        return switch transcript.ending {
        case .complete: "accept \(count)"
        case .unread: "unread \(count)"
        case .incomplete: "incomplete \(count)"
        case .refused(let kind): "refuse \(kind.rawValue) \(count)"
        }
    }

    private static func line(_ vector: LLHTTPCase) -> String {
        let withHost = vector.withHost.map(verdict) ?? "-"
        return [vector.file, "\(vector.number)", vector.title, verdict(vector.bytes), withHost]
            .joined(separator: " | ")
    }

    @Test func `every case has the verdict of the table and the table has no others`() throws {
        let lines = try LLHTTPCase.all().map(Self.line)
        #expect(lines.count == 166)
        if ProcessInfo.processInfo.environment["GATEHOUSE_RECORD"] != nil {
            try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: Self.table)
        }
        let expected = try String(contentsOf: Self.table, encoding: .utf8)
            .split(separator: "\n").map(String.init)
        #expect(expected.count == lines.count)
        for (line, verdict) in zip(lines, expected) { #expect(line == verdict) }
    }

    @Test func `blocks and escapes are read as they are meant`() {
        let text =
            "# A\n## B\n```http\na\\tb\\r\\0\\033\\x41\\\\q\\\nc\n\n\n```\n```log\nx\n```\n### C\n```http\n```\n"
        let cases = LLHTTPCase.cases(in: text, file: "f")
        #expect(cases.map(\.title) == ["B", "C"])
        #expect(cases.map(\.number) == [1, 2])
        #expect(cases.first?.bytes == Array("a\tb\r\0\u{1B}A\\\\qc\r\n\r\n".utf8))
        #expect(cases.last?.bytes == [])
    }
}
