// Gatehouse. SPDX-License-Identifier: MIT

/// The log of a part of the program: one line an event.
///
/// A line that is not wanted costs one comparison: neither its text nor its fields are made.
package struct Log: Sendable {
    /// Lines below this level are not written.
    package let level: LogLevel
    let subsystem: LogSubsystem
    let server: String?
    private let output: LogOutput

    /// Makes the log of a part of the program, for people, on standard error.
    package init(level: LogLevel, subsystem: LogSubsystem) {
        self.init(LogOutput(level: level), subsystem: subsystem)
    }

    /// Makes the log of a part of the program.
    ///
    /// - Parameters:
    ///   - output: How it is written.
    ///   - subsystem: The part.
    ///   - server: The server that all its lines are about, if they are about one.
    package init(_ output: LogOutput, subsystem: LogSubsystem, server: String? = nil) {
        self.output = output
        self.subsystem = subsystem
        self.server = server
        level = output.level(of: subsystem)
    }

    /// The log of another part, written in the same way.
    package func of(_ subsystem: LogSubsystem, server: String? = nil) -> Log {
        Log(output, subsystem: subsystem, server: server)
    }

    /// Whether lines of a level are written.
    package func writes(_ level: LogLevel) -> Bool { level >= self.level }

    /// Takes in further values that must not stand in any line.
    package func learn(secrets: [String]) { output.learn(secrets: secrets) }

    /// A text of somebody else's without what must not stand in a line.
    package func redacted(_ text: String) -> String { output.redacted(text) }

    /// Writes a line; its text is only made if it is wanted.
    package func debug(_ text: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = []) {
        write(.debug, text, fields)
    }
    /// Writes a line; its text is only made if it is wanted.
    package func info(_ text: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = []) {
        write(.info, text, fields)
    }
    /// Writes a line; its text is only made if it is wanted.
    package func warning(_ text: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = []) {
        write(.warning, text, fields)
    }
    /// Writes a line; its text is only made if it is wanted.
    package func error(_ text: @autoclosure () -> String, _ fields: @autoclosure () -> [LogField] = []) {
        write(.error, text, fields)
    }

    private func write(_ level: LogLevel, _ text: () -> String, _ fields: () -> [LogField]) {
        guard level >= self.level else { return }
        output.write(level, self, text(), fields())
    }
}
