// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Diagnostics
import EventLoop
import JSON
import Testing

@Suite struct LogTests {
    /// Gathers lines.
    private final class Lines: Sendable {
        private let held = Locked<[[UInt8]]>([])
        var all: [[UInt8]] { held.withLock { $0 } }
        var texts: [String] { all.map { String(decoding: $0, as: UTF8.self) } }
        @Sendable func take(_ line: [UInt8]) { held.withLock { $0.append(line) } }
    }

    private func output(
        _ lines: Lines,
        _ format: LogOutput.Format = .json,
        level: LogLevel = .info,
        levels: [LogSubsystem: LogLevel] = [:],
        secrets: [String] = []
    ) -> LogOutput {
        LogOutput(format: format, level: level, levels: levels, secrets: secrets, sink: lines.take)
    }

    private func value(_ lines: Lines) throws -> JSONValue {
        let line = try #require(lines.all.first)
        return try JSONValue(line.span)
    }

    /// What peers may call themselves.
    private static let hostile = [
        "a\nb", "a\r\n2026-01-01T00:00:00.000Z error gateway: forged", "\u{1B}]0;title\u{7}", "\u{1B}[2J",
        "\"},{\"level\":\"error\"", "back\\slash\\", "\u{2028}\u{2029}", "\u{202E}txt.exe\u{202C}",
        "\u{200B}\u{FEFF}\u{2066}", "\u{9B}31m", "\u{E0041}\u{E007F}", "\u{0}", "日本語 🎈",
    ]

    @Test(arguments: hostile)
    func `a hostile text is one line in either form`(_ text: String) throws {
        for format in [LogOutput.Format.human, .json] {
            let lines = Lines()
            let log = Log(output(lines, format), subsystem: .server, server: text)
            log.info(text, [LogField("tool", text)])
            let line = try #require(lines.all.first)
            #expect(lines.all.count == 1)
            #expect(line.last == 10)
            #expect(line.dropLast().allSatisfy { $0 >= 0x20 && $0 != 0x7F })
            let scalars = String(decoding: line.dropLast(), as: UTF8.self).unicodeScalars
            let isPlain = scalars.allSatisfy { scalar in
                switch scalar.properties.generalCategory {
                case .control, .format, .lineSeparator, .paragraphSeparator: false
                default: true
                }
            }
            #expect(isPlain)
        }
    }

    @Test(arguments: hostile)
    func `a line of JSON gives the text back`(_ text: String) throws {
        let lines = Lines()
        Log(output(lines), subsystem: .calls).warning(text, [LogField("tool", text)])
        let value = try value(lines)
        #expect(value["message"]?.string == text)
        #expect(value["tool"]?.string == text)
        #expect(value["level"]?.string == "warning")
        #expect(value["subsystem"]?.string == "calls")
        let time = try #require(value["time"]?.string)
        #expect(time.utf8.count == 24)
        #expect(time.hasSuffix("Z"))
    }

    @Test func `texts and fields are cut`() throws {
        let lines = Lines()
        let long = String(repeating: "x", count: 100_000)
        Log(output(lines), subsystem: .calls).info(long, [LogField("tool", long)])
        let value = try value(lines)
        #expect(value["message"]?.string?.unicodeScalars.count == LogText.limit + 1)
        #expect(value["tool"]?.string?.unicodeScalars.count == 257)
    }

    @Test func `a part says as much as its own level, and what is not said is not made`() {
        let lines = Lines()
        let output = output(lines, .human, level: .warning, levels: [.calls: .debug])
        var made = 0
        func text() -> String {
            made += 1
            return "word"
        }
        let log = Log(output, subsystem: .gateway)
        log.info(text())
        log.of(.calls).debug(text())
        log.of(.http).debug(text(), [LogField("x", text())])
        #expect(made == 1)
        #expect(lines.texts.count == 1)
        #expect(lines.texts.first?.hasSuffix(" debug calls: word\n") == true)
    }

    @Test func `known secrets are taken out of texts and fields`() {
        let lines = Lines()
        let output = output(lines, secrets: ["s3cr3t-value", "s3cr3t-value-longer", "short"])
        let log = Log(output, subsystem: .server)
        log.info("has s3cr3t-value and s3cr3t-value-longer, short", [LogField("field", "=s3cr3t-value=")])
        let text = lines.texts.joined()
        #expect(!text.contains("s3cr3t"))
        #expect(text.contains("has [redacted] and [redacted], short"))
        #expect(text.contains(#""field":"=[redacted]=""#))
    }

    @Test(arguments: [
        ("Authorization: Bearer CANARY1 x", "Authorization: [redacted]"),
        ("sent bearer CANARY2 to it", "sent bearer [redacted] to it"),
        ("GET /cb?code=CANARY3&x=1", "GET /cb?code=[redacted]&x=1"),
        ("{\"client_secret\":\"CANARY4\",\"a\":1}", "{\"client_secret\":\"[redacted]\",\"a\":1}"),
        ("refresh_token=CANARY5", "refresh_token=[redacted]"),
        ("Cookie: a=CANARY6; b=CANARY6", "Cookie: [redacted]"),
        ("AccountName=x;AccountKey=CANARY7;Suffix=y", "AccountName=x;AccountKey=[redacted];Suffix=y"),
        ("code_verifier = CANARY8", "code_verifier = [redacted]"),
        ("ended with exit code: 1", "ended with exit code: 1"),
        ("the token is too long", "the token is too long"),
        ("a basic idea", "a basic idea"),
    ])
    func `what a word announces as secret is taken out`(_ text: String, _ shown: String) {
        let lines = Lines()
        Log(output(lines, .human), subsystem: .gateway).info(text)
        #expect(lines.texts.first?.hasSuffix(": \(shown)\n") == true)
    }
}
