// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Configuration
import Diagnostics
import Egress
import FoundationEssentials
import Frontends

/// `gatehouse connect`: a remote MCP server as a local one, on standard input and output.
enum Connect {
    private static let usage = """
        Makes a remote MCP server a local one, for clients that can only start a program.

        Usage: gatehouse connect [OPTION…] URL

        The client speaks to this program over its standard input and output, in either era of the protocol.
        The server at the URL may speak Streamable HTTP in either era, or HTTP+SSE.

          --header 'NAME: VALUE'    a header to send with every request; may be repeated
          --header-env NAME=VAR     the same, with the value of the variable VAR, so that a secret stands on
                                    no command line; may be repeated
          --type TYPE               http or sse; found out if not given
          --log-level LEVEL         debug, info, warning or error; warning if not given

        The host of the URL may be any, also this machine. Which authorities are trusted for https is the system's
        matter, or that of the file which the variable SSL_CERT_FILE names. It ends with standard input.
        """

    static func run(arguments: [String]) -> Int32 {
        do throws(Options.Misuse) {
            guard let command = try ConnectCommand(arguments, ProcessInfo.processInfo.environment) else {
                print(usage)
                return 0
            }
            let environment = ConfigurationEnvironment.current(variables: ProcessInfo.processInfo.environment)
            let log = Log(command.configuration.logOutput(command.level), subsystem: .gateway)
            return PipeRun(command.configuration, server: nil, environment, log).untilItEnds()
        } catch {
            Terminal.say("gatehouse connect: \(error.message); see gatehouse connect --help")
            return 2
        }
    }
}

/// The command line of `gatehouse connect`.
struct ConnectCommand {
    /// A gateway with the remote server and nothing else.
    let configuration: GatewayConfiguration
    /// From which level on the log is written.
    let level: LogLevel

    /// Reads arguments; nil if only help is wanted.
    ///
    /// - Parameters:
    ///   - arguments: What follows the subcommand.
    ///   - variables: The environment, where `--header-env` looks.
    /// - Throws: What cannot be understood; no value of a header is in it.
    init?(_ arguments: [String], _ variables: [String: String]) throws(Options.Misuse) {
        var url: String?
        var headers: [RemoteEndpoint.Header] = []
        var transport = RemoteEndpoint.Transport.found
        var level = LogLevel.warning
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            let parts = argument.split(separator: "=", maxSplits: 1).map(String.init)
            func value() throws(Options.Misuse) -> String {
                guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
                    throw Options.Misuse(message: "\(parts[0]) needs a value")
                }
                return value
            }
            switch parts.first {
            case "--help", "-h": return nil
            case "--header", "-H": headers.append(try Self.header(try value()))
            case "--header-env": headers.append(try Self.header(try value(), in: variables))
            case "--type": transport = try Self.transport(try value())
            case "--log-level":
                let options = try Options(["--log-level", try value()], valued: ["--log-level"], flags: [])
                level = try options.logLevel() ?? level
            case _ where argument.hasPrefix("-"):
                throw Options.Misuse(message: "there is no option \"\(parts.first ?? argument)\"")
            default:
                guard url == nil else { throw Options.Misuse(message: "there is more than one URL") }
                url = argument
            }
        }
        guard let url else { throw Options.Misuse(message: "the URL of the server is missing") }
        let destination: Destination
        do throws(EgressRefusal) {
            destination = try Destination(url)
        } catch {
            throw Options.Misuse(message: "this is no URL of a server: \(error)")
        }
        var remote = RemoteEndpoint(url: url)
        remote.headers = headers
        remote.transport = transport
        var server = ServerConfiguration(name: "remote")
        server.remote = remote
        var configuration = GatewayConfiguration()
        configuration.servers = [server]
        // Who types a URL means it: exactly this host may be reached, wherever it is.
        configuration.egress.allow = [.host(destination.host)]
        self.configuration = configuration
        self.level = level
    }

    private static func transport(_ text: String) throws(Options.Misuse) -> RemoteEndpoint.Transport {
        switch text {
        case "http", "streamableHttp", "streamable-http": .streamable
        case "sse": .eventStream
        default: throw Options.Misuse(message: "--type is http or sse")
        }
    }

    private static func header(_ text: String) throws(Options.Misuse) -> RemoteEndpoint.Header {
        guard let colon = text.firstIndex(of: ":") else {
            throw Options.Misuse(message: "--header is 'NAME: VALUE'")
        }
        var value = text[text.index(after: colon)...].drop(while: \.isWhitespace)
        while value.last?.isWhitespace == true { value.removeLast() }
        return try header(String(text[..<colon]), String(value), "--header")
    }

    private static func header(
        _ text: String,
        in variables: [String: String]
    ) throws(Options.Misuse) -> RemoteEndpoint.Header {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw Options.Misuse(message: "--header-env is NAME=VAR") }
        guard let value = variables[parts[1]] else {
            throw Options.Misuse(message: "--header-env: there is no variable \(parts[1])")
        }
        return try header(parts[0], value, "--header-env")
    }

    /// A header whose name and value can stand in a request; the value is told to nobody.
    private static func header(
        _ name: String,
        _ value: String,
        _ option: String
    ) throws(Options.Misuse) -> RemoteEndpoint.Header {
        let isName = !name.isEmpty && name.utf8.allSatisfy(ASCII.isToken)
        let isValue = value.utf8.allSatisfy { $0 == 9 || ($0 >= 0x20 && $0 != 0x7F) }
        guard isName, isValue else {
            throw Options.Misuse(message: "\(option): the name or the value is none that a header may have")
        }
        return RemoteEndpoint.Header(name, value)
    }
}
