// Gatehouse. SPDX-License-Identifier: MIT

import JSON

/// What a gateway is at, as a page for people.
enum StatusText {
    /// The page: a line for the gateway, one for each server, one for each of its processes or lines.
    static func of(_ status: JSONValue, _ style: Style) -> String {
        var lines = [summary(status, style)]
        guard let servers = status["servers"]?.array else {
            lines.append("More is told only on the machine where it runs.")
            return lines.joined(separator: "\n")
        }
        let width = servers.map { name($0).count }.max() ?? 0
        for server in servers {
            lines.append("")
            lines.append(line(server, width: width, style))
            if let problem = server["problem"]?.string { lines.append("  " + style.red(plain(problem))) }
            let children = server["children"]?.array ?? []
            if !children.isEmpty { lines += processes(children, style) }
            let elsewhere = server["remote"]?["lines"]?.array ?? []
            if !elsewhere.isEmpty { lines += remoteLines(elsewhere, style) }
        }
        return lines.joined(separator: "\n")
    }

    private static func summary(_ status: JSONValue, _ style: Style) -> String {
        var parts: [String] = []
        if let version = status["version"]?.string { parts.append(style.bold("gatehouse \(plain(version))")) }
        if status["draining"]?.bool == true { parts.append(style.yellow("stopping")) }
        if let uptime = status["uptime_seconds"]?.integer { parts.append("up \(duration(uptime))") }
        parts.append(count(status["active_sessions"]?.integer, "session"))
        parts.append(count(status["total_processes"]?.integer, "process", "processes"))
        if let calls = status["open_calls"]?.integer { parts.append(count(calls, "open call")) }
        return parts.joined(separator: ", ")
    }

    private static func line(_ server: JSONValue, width: Int, _ style: Style) -> String {
        let state = server["state"]?.string ?? "?"
        let shown: String
        switch state {
        case "up": shown = style.green("up")
        case "unusable", "away", "crashing": shown = style.red(state)
        default: shown = style.yellow(plain(state))
        }
        var parts = [shown, count(server["sessions"]?.integer, "session")]
        if let remote = server["remote"] {
            parts += words(of: remote, style)
        } else {
            parts.append(count(server["processes"]?.integer, "process", "processes"))
        }
        if let restarts = server["restarts"]?.integer, restarts > 0 {
            parts.append(style.yellow(count(restarts, "restart")))
        }
        if let exit = server["last_exit"]?.string { parts.append("last ended by itself: \(plain(exit))") }
        return style.bold(name(server).padded(to: width)) + "  " + parts.joined(separator: ", ")
    }

    /// What is said of a server elsewhere instead of its processes.
    private static func words(of remote: JSONValue, _ style: Style) -> [String] {
        var parts = [count(remote["lines"]?.array?.count, "line")]
        if let forgotten = remote["greeted_again"]?.integer, forgotten > 0 {
            parts.append(style.yellow(count(forgotten, "session") + " forgotten"))
        }
        if let failures = remote["failures"]?.integer, failures > 0 {
            parts.append(style.yellow(count(failures, "failure")))
        }
        if let last = remote["last_failure"]?.string { parts.append("last: \(plain(last))") }
        return parts
    }

    private static func processes(_ children: [JSONValue], _ style: Style) -> [String] {
        let head = ["pid", "state", "up", "sent", "received", "stderr"]
        let rows = children.map { child in
            [
                child["pid"]?.integer.map { String($0) } ?? "-", plain(child["state"]?.string ?? "?"),
                duration(child["uptime_seconds"]?.integer ?? 0),
                traffic(child["sent_messages"]?.integer, child["sent_bytes"]?.integer),
                traffic(child["received_messages"]?.integer, child["received_bytes"]?.integer),
                size(child["stderr_tail_bytes"]?.integer ?? 0),
            ]
        }
        let words = children.prefix(mostWords).compactMap { child -> String? in
            guard let last = child["stderr_tail"]?.string?.split(whereSeparator: \.isNewline).last else {
                return nil
            }
            let pid = child["pid"]?.integer.map { String($0) } ?? "-"
            return style.dim("  \(pid) said last: \(plain(String(last.prefix(160))))")
        }
        return table(head, rows, style) + words
    }

    /// Of how many processes of a server the last words are shown.
    private static let mostWords = 8

    private static func remoteLines(_ lines: [JSONValue], _ style: Style) -> [String] {
        let rows = lines.map { line in
            [
                plain(line["state"]?.string ?? "?"), duration(line["uptime_seconds"]?.integer ?? 0),
                String(line["calls"]?.integer ?? 0), String(line["greeted_again"]?.integer ?? 0),
                traffic(line["sent_messages"]?.integer, line["sent_bytes"]?.integer),
                traffic(line["received_messages"]?.integer, line["received_bytes"]?.integer),
            ]
        }
        return table(["line", "for", "calls", "forgotten", "sent", "received"], rows, style)
    }

    private static func table(_ head: [String], _ rows: [[String]], _ style: Style) -> [String] {
        let widths = head.indices.map { column in
            ([head] + rows).map { $0[column].count }.max() ?? 0
        }
        func text(_ row: [String]) -> String {
            var line = "  "
            for (cell, width) in zip(row, widths) { line += cell.padded(to: width) + "  " }
            while line.last == " " { line.removeLast() }
            return line
        }
        return [style.dim(text(head))] + rows.map(text)
    }

    private static func name(_ server: JSONValue) -> String { plain(server["name"]?.string ?? "?") }

    /// Text of a configuration or a server, on one line.
    private static func plain(_ text: String) -> String {
        Style.safe(text).split(whereSeparator: \.isNewline).joined(separator: " ")
    }

    private static func count(_ number: Int?, _ one: String, _ many: String? = nil) -> String {
        let number = number ?? 0
        return "\(number) \(number == 1 ? one : many ?? one + "s")"
    }

    private static func traffic(_ messages: Int?, _ bytes: Int?) -> String {
        "\(messages ?? 0) (\(size(bytes ?? 0)))"
    }

    /// `950 B`, `1.5 KiB`, `12 MiB`.
    static func size(_ bytes: Int) -> String {
        var (number, unit) = (Double(max(bytes, 0)), 0)
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        while number >= 1024, unit < units.count - 1 {
            number /= 1024
            unit += 1
        }
        guard unit > 0, number < 10 else { return "\(Int(number.rounded(.down))) \(units[unit])" }
        return "\((number * 10).rounded(.down) / 10) \(units[unit])"
    }

    /// `12 s`, `3 min`, `5 h`, `2 d`.
    static func duration(_ seconds: Int) -> String {
        switch seconds {
        case ..<120: "\(max(seconds, 0)) s"
        case ..<7_200: "\(seconds / 60) min"
        case ..<172_800: "\(seconds / 3_600) h"
        default: "\(seconds / 86_400) d"
        }
    }
}
