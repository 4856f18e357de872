// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import HTTPClient
import JSON
import MCPClient
import StdioFraming

/// One option of the command line of `gatehouse inspect`.
enum InspectOption {
    case era(EraPreference)
    case header(HTTPField)
    case json
    case verbose
    case timeout(UInt64)
    case logLevel(String)
    case root(String)
    case answer(String, JSONValue)
    case answers(String)
    case framing(Framing?)
    case tasks

    private static let levels = [
        "debug", "info", "notice", "warning", "error", "critical", "alert", "emergency",
    ]

    init(_ argument: String, _ rest: inout ArraySlice<String>) throws(Options.Misuse) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init
        )
        func value() throws(Options.Misuse) -> String {
            guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                throw Options.Misuse(message: "\(parts[0]) needs a value")
            }
            return value
        }
        switch parts[0] {
        case "--json" where parts.count == 1: self = .json
        case "--verbose" where parts.count == 1, "-v" where parts.count == 1: self = .verbose
        case "--tasks" where parts.count == 1: self = .tasks
        case "--era":
            guard let era = EraPreference(rawValue: try value()) else {
                throw Options.Misuse(message: "--era is one of auto, legacy, modern")
            }
            self = .era(era)
        case "--timeout":
            guard let seconds = Double(try value()), seconds > 0, seconds <= 86_400 else {
                throw Options.Misuse(message: "--timeout is a number of seconds, at most 86400")
            }
            self = .timeout(UInt64((seconds * 1000).rounded(.up)))
        case "--log-level":
            let level = try value()
            guard Self.levels.contains(level) else {
                throw Options.Misuse(message: "--log-level is one of \(Self.levels.joined(separator: ", "))")
            }
            self = .logLevel(level)
        case "--framing": self = .framing(try Self.framing(try value()))
        case "--header", "-H": self = .header(try Self.field(try value()))
        case "--root": self = .root(try value())
        case "--answer": self = try Self.answer(try value())
        case "--answers": self = .answers(try value())
        default: throw Options.Misuse(message: "there is no option \"\(argument)\"")
        }
    }

    private static func framing(_ text: String) throws(Options.Misuse) -> Framing? {
        switch text {
        case "auto": nil
        case "newline": .newline
        case "content-length": .contentLength
        default: throw Options.Misuse(message: "--framing is one of auto, newline, content-length")
        }
    }

    private static func field(_ text: String) throws(Options.Misuse) -> HTTPField {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
            throw Options.Misuse(message: "--header is of the form 'Name: value'")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        return HTTPField(String(text[..<colon]), String(value))
    }

    /// What is no JSON counts as text.
    private static func answer(_ text: String) throws(Options.Misuse) -> InspectOption {
        guard let sign = text.firstIndex(of: "="), sign != text.startIndex else {
            throw Options.Misuse(message: "--answer is of the form KEY=JSON")
        }
        let value = String(text[text.index(after: sign)...])
        return .answer(String(text[..<sign]), (try? JSONValue(Array(value.utf8).span)) ?? .string(value))
    }
}
