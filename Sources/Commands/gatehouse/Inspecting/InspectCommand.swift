// Gatehouse. SPDX-License-Identifier: MIT

import HTTPClient
import MCPClient

/// What the command line of `gatehouse inspect` asks for.
struct InspectCommand: Equatable {
    /// Where the server is.
    enum Target: Equatable {
        case url(String)
        case command([String])
    }

    /// What to do there.
    enum Verb: Equatable {
        /// Show everything that it offers.
        case overview
        case list(Listing)
        case call(String, [String])
        case read(String)
        case prompt(String, [String])
        case method(String, [String])
    }

    let target: Target
    let verb: Verb
    private(set) var era = EraPreference.auto
    private(set) var headers: [HTTPField] = []
    private(set) var wantsJSON = false
    private(set) var isVerbose = false
    /// Milliseconds for each answer.
    private(set) var timeout: UInt64 = 60_000

    /// Reads the arguments after `inspect`; nil if they ask for help.
    init?(_ arguments: [String]) throws(Options.Misuse) {
        let separator = arguments.firstIndex(of: "--")
        var words: [String] = []
        var rest = arguments[..<(separator ?? arguments.endIndex)]
        while let argument = rest.popFirst() {
            if argument == "--help" || argument == "-h" { return nil }
            guard argument.hasPrefix("-") else {
                words.append(argument)
                continue
            }
            switch try InspectOption(argument, &rest) {
            case .era(let value): era = value
            case .header(let field): headers.append(field)
            case .json: wantsJSON = true
            case .verbose: isVerbose = true
            case .timeout(let milliseconds): timeout = milliseconds
            }
        }
        if let separator {
            let command = Array(arguments[(separator + 1)...])
            guard !command.isEmpty else { throw Options.Misuse(message: "a command must follow --") }
            guard headers.isEmpty else {
                throw Options.Misuse(message: "--header is for a URL, not for a command")
            }
            target = .command(command)
        } else {
            guard !words.isEmpty else {
                throw Options.Misuse(message: "a URL is missing, or -- and a command")
            }
            let url = words.removeFirst()
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
                throw Options.Misuse(message: "\"\(url)\" is no http or https URL; a command must follow --")
            }
            target = .url(url)
        }
        verb = try Self.verb(words)
    }

    private static func verb(_ words: [String]) throws(Options.Misuse) -> Verb {
        guard let first = words.first else { return .overview }
        let rest = Array(words.dropFirst())
        if let listing = Listing(rawValue: first) {
            guard rest.isEmpty else { throw Options.Misuse(message: "nothing may follow \"\(first)\"") }
            return .list(listing)
        }
        switch first {
        case "call", "prompt", "read":
            guard let name = rest.first else {
                let missing = first == "read" ? "a URI" : "a name"
                throw Options.Misuse(message: "\(missing) must follow \"\(first)\"")
            }
            let arguments = Array(rest.dropFirst())
            if first == "call" { return .call(name, arguments) }
            if first == "prompt" { return .prompt(name, arguments) }
            guard arguments.isEmpty else { throw Options.Misuse(message: "only one URI may follow \"read\"") }
            return .read(name)
        case _ where first.contains("/") || first == "ping":
            return .method(first, rest)
        default:
            throw Options.Misuse(message: "\"\(first)\" is nothing that can be done with a server")
        }
    }
}

/// A list that a server has.
enum Listing: String, CaseIterable {
    case tools
    case resources
    case templates
    case prompts

    /// The method that reads it.
    var method: String {
        self == .templates ? "resources/templates/list" : "\(rawValue)/list"
    }

    /// The member of the result that holds it.
    var member: String { self == .templates ? "resourceTemplates" : rawValue }

    /// What stands above it.
    var heading: String {
        switch self {
        case .tools: "Tools"
        case .resources: "Resources"
        case .templates: "Resource templates"
        case .prompts: "Prompts"
        }
    }

    /// The capability that tells whether there is one.
    var capability: String { self == .templates ? "resources" : rawValue }
}

/// One option of the command line.
private enum InspectOption {
    case era(EraPreference)
    case header(HTTPField)
    case json
    case verbose
    case timeout(UInt64)

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
        case "--header", "-H": self = .header(try Self.field(try value()))
        default: throw Options.Misuse(message: "there is no option \"\(argument)\"")
        }
    }

    private static func field(_ text: String) throws(Options.Misuse) -> HTTPField {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
            throw Options.Misuse(message: "--header is of the form 'Name: value'")
        }
        let value = text[text.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        return HTTPField(String(text[..<colon]), String(value))
    }
}
