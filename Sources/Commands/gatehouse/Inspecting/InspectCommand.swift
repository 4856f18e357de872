// Gatehouse. SPDX-License-Identifier: MIT

import HTTPClient
import JSON
import MCPClient
import StdioFraming

/// What the command line of `gatehouse inspect` asks for.
struct InspectCommand: Equatable {
    /// Where the server is.
    enum Target: Equatable {
        case url(String)
        case command([String])
    }

    /// What to do there.
    enum Verb: Equatable {
        /// What is done where nothing is asked for: `shell` on a terminal, else `overview`.
        case unspecified
        /// Show everything that it offers.
        case overview
        /// Show one tool whole.
        case tool(String)
        case list(Listing)
        case call(String, [String])
        case read(String)
        case prompt(String, [String])
        case method(String, [String])
        /// Show changes as they come: of lists, by name, and of resources, by URI; of all lists if nothing is named.
        case subscribe([String])
        /// Read what to do from standard input, line by line.
        case shell
    }

    /// A prepared answer.
    struct Answer: Equatable {
        var name: String
        var value: JSONValue
    }

    let target: Target
    let verb: Verb
    private(set) var era = EraPreference.auto
    private(set) var headers: [HTTPField] = []
    private(set) var wantsJSON = false
    private(set) var isVerbose = false
    /// Milliseconds for each answer.
    private(set) var timeout: UInt64 = 60_000
    /// From which level on the server should send log messages; nil if nothing was said.
    private(set) var logLevel: String?
    /// The directories that the server may know of.
    private(set) var roots: [String] = []
    private(set) var answers: [Answer] = []
    /// Files with more answers.
    private(set) var answerFiles: [String] = []
    /// How messages are told apart on a command's pipes; nil to find out.
    private(set) var framing: Framing?
    /// Whether calls may become tasks.
    private(set) var usesTasks = false

    /// Reads the arguments after `inspect`; nil if they ask for help.
    init?(_ arguments: [String]) throws(Options.Misuse) {
        let separator = arguments.firstIndex(of: "--")
        var words: [String] = []
        var hasFraming = false
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
            case .logLevel(let level): logLevel = level
            case .root(let directory): roots.append(directory)
            case .answer(let name, let value): answers.append(Answer(name: name, value: value))
            case .answers(let file): answerFiles.append(file)
            case .framing(let value):
                framing = value
                hasFraming = true
            case .tasks: usesTasks = true
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
            guard !hasFraming else {
                throw Options.Misuse(message: "--framing is for a command, not for a URL")
            }
            let url = words.removeFirst()
            guard url.hasPrefix("http://") || url.hasPrefix("https://") else {
                throw Options.Misuse(message: "\"\(url)\" is no http or https URL; a command must follow --")
            }
            target = .url(url)
        }
        verb = try Self.verb(words)
    }

    /// What words ask for.
    static func verb(_ words: [String]) throws(Options.Misuse) -> Verb {
        guard let first = words.first else { return .unspecified }
        let rest = Array(words.dropFirst())
        if let listing = Listing(rawValue: first) {
            guard rest.isEmpty else { throw Options.Misuse(message: "nothing may follow \"\(first)\"") }
            return .list(listing)
        }
        switch first {
        case "overview", "shell":
            guard rest.isEmpty else { throw Options.Misuse(message: "nothing may follow \"\(first)\"") }
            return first == "shell" ? .shell : .overview
        case "call", "prompt", "read", "tool":
            guard let name = rest.first else {
                let missing = first == "read" ? "a URI" : "a name"
                throw Options.Misuse(message: "\(missing) must follow \"\(first)\"")
            }
            let arguments = Array(rest.dropFirst())
            if first == "call" { return .call(name, arguments) }
            if first == "prompt" { return .prompt(name, arguments) }
            guard arguments.isEmpty else {
                throw Options.Misuse(message: "nothing may follow \"\(first) \(name)\"")
            }
            return first == "read" ? .read(name) : .tool(name)
        case "subscribe": return .subscribe(rest)
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
