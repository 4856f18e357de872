// Gatehouse. SPDX-License-Identifier: MIT

import Children
package import Configuration

extension Confinement {
    /// What is likely to go wrong once the servers of a configuration are confined, a sentence each.
    ///
    /// These are guesses: an argument that is a path need not be meant to be opened.
    ///
    /// - Returns: Server by server, what stops it, or the paths among its arguments that it would not find.
    package func hints(on configuration: GatewayConfiguration) -> [String] {
        configuration.servers.filter { $0.isEnabled && $0.problem == nil && $0.sandbox.level != .none }
            .flatMap(hints)
    }

    private func hints(on server: ServerConfiguration) -> [String] {
        let command: ChildCommand
        do throws(CommandFailure) {
            command = try self.command(of: server)
        } catch {
            return ["server \(server.name): \(error)"]
        }
        guard let view = command.sandbox?.view else { return [] }
        return command.arguments.filter { $0.hasPrefix("/") }.compactMap { path in
            guard let real = SandboxFiles.realPath(of: path), !view.shows(real) else { return nil }
            return
                "server \(server.name): its sandbox does not show \(path); name it in \"readable\" or \"writable\""
        }
    }
}
