// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// One line of the log, in either form.
///
/// Whatever comes from outside is escaped and cut, so that no peer can write lines of its own, leave a member of a JSON
/// line, or move a terminal's cursor.
struct LogLine {
    /// Nanoseconds since 1970.
    var time: UInt64
    var level: LogLevel
    var subsystem: LogSubsystem
    var server: String?
    var text: String
    var fields: [LogField]

    /// `2026-07-28T12:00:00.000Z info server git: text, name=value`.
    var human: [UInt8] {
        var line: [UInt8] = []
        WallClock.append(time, to: &line)
        line.append(" \(level.rawValue) \(subsystem.rawValue)")
        if let server { line.append(" \(LogText.printable(server, limit: LogField.limit))") }
        line.append(": \(LogText.printable(text))")
        for field in fields {
            line.append(" \(field.name)=\(LogText.printable(field.value, limit: LogField.limit))")
        }
        line.append(UInt8(ascii: "\n"))
        return line
    }

    /// `{"time":…,"level":…,"subsystem":…,"server":…,"message":…,…}`.
    var json: [UInt8] {
        var line = Array("{\"time\":\"".utf8)
        WallClock.append(time, to: &line)
        line.append("\",\"level\":\"\(level.rawValue)\",\"subsystem\":\"\(subsystem.rawValue)\"")
        if let server {
            line.append(literal: ",\"server\":")
            LogText.appendJSON(server, limit: LogField.limit, to: &line)
        }
        line.append(literal: ",\"message\":")
        LogText.appendJSON(text, limit: LogText.limit, to: &line)
        for field in fields {
            line.append(",\"\(field.name)\":")
            LogText.appendJSON(field.value, limit: LogField.limit, to: &line)
        }
        line.append(literal: "}\n")
        return line
    }
}
