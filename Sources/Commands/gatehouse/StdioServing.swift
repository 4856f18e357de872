// Gatehouse. SPDX-License-Identifier: MIT

import Dispatch
import MCPServer

/// Offers a server of this program on its standard input and output.
enum StdioServing {
    /// Serves on standard input and output until the input ends.
    ///
    /// - Parameter server: What is served.
    /// - Returns: The exit status.
    static func run(_ server: MCPServer) -> Int32 {
        let isDone = DispatchSemaphore(value: 0)
        // Waited for right below: the thread of the program has nothing else to do.
        let task = Task(name: "MCP server on standard input and output") {
            await server.serveStdio()
            isDone.signal()
        }
        isDone.wait()
        task.cancel()
        return 0
    }
}
