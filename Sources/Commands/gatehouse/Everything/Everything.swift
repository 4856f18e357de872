// Gatehouse. SPDX-License-Identifier: MIT

import MCPServer

/// `gatehouse everything`: a server with every feature of MCP, to test with.
enum Everything {
    private static let usage = """
        A server with every feature of MCP, to test clients and gateways with.

        Usage: gatehouse everything [OPTION…]

          --transport NAME     stdio (the default) or http, which answers at /mcp
          --era ERA            dual (the default), legacy or modern
          --port NUMBER        the port for http; 0, the default, for any that is free
          --page-size NUMBER   how many entries a page of a list has; 100 if not given
          --question-time MS   for how many milliseconds a question is open; 300000 if not given

        On stdio it ends when its input does.
        """

    static func run(arguments: [String]) -> Int32 {
        do throws(Options.Misuse) {
            let options = try Options(
                arguments,
                valued: ["--transport", "--era", "--port", "--page-size", "--question-time"],
                flags: ["--help", "-h"]
            )
            if options.has("--help") || options.has("-h") {
                print(usage)
                return 0
            }
            let server = EverythingServer.make(try serverOptions(options))
            switch options["--transport"] ?? "stdio" {
            case "stdio": return StdioServing.run(server)
            case "http":
                let port = try number(options, "--port", 0...Int(UInt16.max)) ?? 0
                return HostedServing.run(server, name: "everything", port: UInt16(port))
            default: throw Options.Misuse(message: "--transport is stdio or http")
            }
        } catch {
            Terminal.say("gatehouse everything: \(error.message); see gatehouse everything --help")
            return 2
        }
    }

    private static func serverOptions(_ options: Options) throws(Options.Misuse) -> ServerOptions {
        var result = ServerOptions()
        switch options["--era"] ?? "dual" {
        case "dual": result.eras = .dual
        case "legacy": result.eras = .legacy
        case "modern": result.eras = .modern
        default: throw Options.Misuse(message: "--era is dual, legacy or modern")
        }
        if let size = try number(options, "--page-size", 1...10_000) { result.pageSize = size }
        if let time = try number(options, "--question-time", 1...86_400_000) { result.questionTTL = time }
        return result
    }

    private static func number(
        _ options: Options,
        _ name: String,
        _ range: ClosedRange<Int>
    ) throws(Options.Misuse) -> Int? {
        guard let text = options[name] else { return nil }
        guard let value = Int(text), range.contains(value) else {
            throw Options.Misuse(
                message: "\(name) is a number from \(range.lowerBound) to \(range.upperBound)"
            )
        }
        return value
    }
}
