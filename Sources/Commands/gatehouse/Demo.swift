// Gatehouse. SPDX-License-Identifier: MIT

/// `gatehouse demo`: a small MCP server on standard input and output, to try a gateway without a network.
///
/// It speaks both eras. It starts at once and ends when its input does.
enum Demo {
    private static let usage = """
        A small MCP server on standard input and output, to try a gateway with.

        Usage: gatehouse demo

        It has three tools (echo, add, now) and one resource (demo://about), and speaks every revision of MCP.
        """

    static func run(arguments: [String]) -> Int32 {
        guard arguments.isEmpty else {
            guard arguments == ["--help"] || arguments == ["-h"] else {
                Terminal.say("gatehouse demo: it takes no arguments; see gatehouse demo --help")
                return 2
            }
            print(usage)
            return 0
        }
        return StdioServing.run(DemoServer.make())
    }
}
