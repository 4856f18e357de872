// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import Glibc

/// Reads the options of a command line: `--name value`, `--name=value`, `--flag`, and one word that needs no name.
struct Options {
    /// Why a command line cannot be understood.
    struct Misuse: Error {
        let message: String
    }

    private var values: [String: String] = [:]
    private var flags: Set<String> = []

    /// Reads arguments.
    ///
    /// - Parameters:
    ///   - arguments: What follows the subcommand.
    ///   - valued: The options that have a value.
    ///   - known: The options that have none.
    ///   - operand: The option that a word without a name is the value of; nil where there is none.
    /// - Throws: What cannot be understood.
    init(
        _ arguments: [String],
        valued: Set<String>,
        flags known: Set<String>,
        operand: String? = nil
    ) throws(Misuse) {
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
                String.init
            )
            let name = parts[0]
            if known.contains(argument) {
                flags.insert(argument)
            } else if valued.contains(name) {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw Misuse(message: "\(name) needs a value")
                }
                values[name] = value
            } else if let operand, !argument.hasPrefix("-") {
                guard values[operand] == nil else {
                    throw Misuse(message: "\"\(argument)\" is one too many: \(operand) is given already")
                }
                values[operand] = argument
            } else {
                throw Misuse(message: "there is no option \"\(argument)\"")
            }
        }
    }

    /// The value of an option, if it was given.
    subscript(name: String) -> String? { values[name] }

    /// Whether a flag was given.
    func has(_ flag: String) -> Bool { flags.contains(flag) }

    /// What `--host` and `--port` say over the file.
    func overrides() throws(Misuse) -> ConfigurationOverrides {
        var overrides = ConfigurationOverrides(host: self["--host"])
        if let text = self["--port"] {
            guard let port = UInt16(text) else { throw Misuse(message: "--port is a number up to 65535") }
            overrides.port = port
        }
        return overrides
    }

    /// The level of the log, if it was given.
    func logLevel() throws(Misuse) -> LogLevel? {
        guard let text = self["--log-level"] else { return nil }
        let name = text.lowercased() == "warn" ? "warning" : text.lowercased()
        guard let level = LogLevel(rawValue: name) else {
            throw Misuse(message: "--log-level is one of debug, info, warning, error")
        }
        return level
    }
}

/// What is said to people: on standard error, since standard output carries data.
enum Terminal {
    /// Writes a line.
    static func say(_ text: String) {
        var bytes = Array(text.utf8)
        bytes.append(UInt8(ascii: "\n"))
        bytes.withUnsafeBufferPointer { _ = write(2, $0.baseAddress, $0.count) }
    }
}
