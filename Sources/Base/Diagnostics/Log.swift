// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Glibc

/// How much a line of the log matters, least first.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
    /// What happens inside, for those who look for a fault.
    case debug
    /// What an operator wants to know when all is well.
    case info
    /// Something is wrong and was dealt with.
    case warning
    /// Something does not work.
    case error

    /// Less important first.
    package static func < (left: LogLevel, right: LogLevel) -> Bool {
        (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
    }
}

/// The log: one line an event, on standard error.
///
/// Whatever comes from outside is escaped and cut, so that no peer can write lines of its own or move a terminal's
/// cursor.
package struct Log: Sendable {
    /// Lines below this level are not written.
    package let level: LogLevel
    private let subsystem: String

    /// Makes the log of a part of the program.
    package init(level: LogLevel, subsystem: String) {
        self.level = level
        self.subsystem = subsystem
    }

    /// The log of another part, at the same level.
    package func of(_ subsystem: String) -> Log {
        Log(level: level, subsystem: subsystem)
    }

    /// Writes a line; its text is only made if it is wanted.
    package func debug(_ text: @autoclosure () -> String) { write(.debug, text) }
    /// Writes a line; its text is only made if it is wanted.
    package func info(_ text: @autoclosure () -> String) { write(.info, text) }
    /// Writes a line; its text is only made if it is wanted.
    package func warning(_ text: @autoclosure () -> String) { write(.warning, text) }
    /// Writes a line; its text is only made if it is wanted.
    package func error(_ text: @autoclosure () -> String) { write(.error, text) }

    private func write(_ level: LogLevel, _ text: () -> String) {
        guard level >= self.level else { return }
        var line = Self.timestamp()
        line.append(" \(level.rawValue) \(subsystem): ")
        line.append(contentsOf: Log.printable(text()).utf8)
        line.append(UInt8(ascii: "\n"))
        line.withUnsafeBufferPointer { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    /// The wall clock, in UTC, to the millisecond (RFC 3339).
    private static func timestamp() -> [UInt8] {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        gmtime_r(&now.tv_sec, &parts)
        var output: [UInt8] = []
        func append(_ number: Int, _ digits: Int, _ separator: UInt8) {
            let text = String(number)
            output.append(
                contentsOf: repeatElement(UInt8(ascii: "0"), count: max(0, digits - text.utf8.count))
            )
            output.append(text)
            output.append(separator)
        }
        append(Int(parts.tm_year) + 1900, 4, UInt8(ascii: "-"))
        append(Int(parts.tm_mon) + 1, 2, UInt8(ascii: "-"))
        append(Int(parts.tm_mday), 2, UInt8(ascii: "T"))
        append(Int(parts.tm_hour), 2, UInt8(ascii: ":"))
        append(Int(parts.tm_min), 2, UInt8(ascii: ":"))
        append(Int(parts.tm_sec), 2, UInt8(ascii: "."))
        append(now.tv_nsec / 1_000_000, 3, UInt8(ascii: "Z"))
        return output
    }

    /// The longest text of a line, in bytes.
    package static let limit = 4096

    /// A text without anything that could end a line or command a terminal.
    ///
    /// Control characters, line and paragraph separators and marks of writing direction are written as escapes.
    package static func printable(_ text: String) -> String {
        var output = String.UnicodeScalarView()
        var count = 0
        for scalar in text.unicodeScalars {
            guard count < limit else {
                output.append(contentsOf: "…".unicodeScalars)
                break
            }
            count += 1
            switch scalar.value {
            case 0..<0x20, 0x7F..<0xA0, 0x200B...0x200F, 0x2028...0x202E, 0x2060...0x2069, 0xFEFF,
                0xE0000...0xE007F:
                output.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
            default: output.append(scalar)
            }
        }
        return String(output)
    }
}
