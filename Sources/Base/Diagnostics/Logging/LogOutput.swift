// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Glibc

/// How the log of a process is written: its form, how much each part says, and what it must not say.
///
/// It is made once, when the configuration is known, and used by all parts.
package final class LogOutput: Sendable {
    /// The form of a line.
    package enum Format: Sendable {
        /// For people.
        case human
        /// An object of JSON.
        case json
    }

    /// The form of a line.
    package let format: Format
    private let level: LogLevel
    private let levels: [LogSubsystem: LogLevel]
    private let redaction: Redaction
    private let sink: @Sendable ([UInt8]) -> Void

    /// Says how to write.
    ///
    /// - Parameters:
    ///   - format: The form of a line.
    ///   - level: How much is said.
    ///   - levels: The same for single parts.
    ///   - secrets: Values that never stand in a line.
    ///   - sink: Where a line goes, its end included; standard error if not given.
    package init(
        format: Format = .human,
        level: LogLevel,
        levels: [LogSubsystem: LogLevel] = [:],
        secrets: [String] = [],
        sink: @escaping @Sendable ([UInt8]) -> Void = LogOutput.toStandardError
    ) {
        self.format = format
        self.level = level
        self.levels = levels
        self.sink = sink
        redaction = Redaction(secrets: secrets)
    }

    /// How much a part says.
    func level(of subsystem: LogSubsystem) -> LogLevel {
        levels[subsystem] ?? level
    }

    func learn(secrets: [String]) { redaction.learn(secrets) }

    func redacted(_ text: String) -> String { redaction.apply(to: text) }

    /// Writes a line to standard error.
    package static func toStandardError(_ line: [UInt8]) {
        line.withUnsafeBufferPointer { _ = Glibc.write(2, $0.baseAddress, $0.count) }
    }

    func write(_ level: LogLevel, _ log: Log, _ text: String, _ fields: [LogField]) {
        let line = LogLine(
            time: WallClock.now,
            level: level,
            subsystem: log.subsystem,
            server: log.server,
            text: redaction.apply(to: text),
            fields: fields.map { LogField($0.name, redaction.apply(to: $0.value)) }
        )
        sink(format == .json ? line.json : line.human)
    }
}
