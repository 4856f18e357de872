// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import Children
package import Configuration
package import Diagnostics
package import EventLoop
import JSON
package import MCPCore
package import StdioFraming

/// What the processes of one server have in common: how to start one, how to talk to it, and what happened so far.
///
/// One loop's; it lives as long as the server is configured.
package final class ServerProcesses {
    /// The server, as configured.
    let server: ServerConfiguration
    /// Bounds of the whole gateway.
    let limits: Limits
    let environment: ConfigurationEnvironment
    let loop: EventLoop
    let spawner: ChildSpawner
    private let confinement: Confinement
    let log: Log
    /// Milliseconds for which a call waits for what its caller was asked.
    let patience: UInt64
    /// Milliseconds after which a process that modern callers used and use no more is ended.
    let idleLimit: UInt64
    /// Children of all servers, for the bound on their number.
    let population: ChildPopulation
    /// Where frames are put together, one at a time.
    var frame: [UInt8] = []
    /// What came from children and went nowhere, by reason.
    private(set) var dropped: [String: Int] = [:]

    package init(
        server: ServerConfiguration,
        limits: Limits,
        environment: ConfigurationEnvironment,
        loop: EventLoop,
        spawner: ChildSpawner,
        confinement: Confinement,
        population: ChildPopulation,
        timeouts: Timeouts,
        log: Log
    ) {
        self.server = server
        self.limits = limits
        self.environment = environment
        self.loop = loop
        self.spawner = spawner
        self.confinement = confinement
        self.population = population
        patience = timeouts.requestState.wholeMilliseconds
        idleLimit = (server.sessionTimeout ?? timeouts.session).wholeMilliseconds
        self.log = log.of("server", server: server.name)
    }

    /// How many calls of one client may wait.
    var inFlightLimit: Int { server.limits.inFlight ?? limits.inFlight }

    /// The command with its place in the file system; looked up at each start, since programs come and go; confined as
    /// the server asks.
    func command() throws(CommandFailure) -> ChildCommand {
        try confinement.command(of: server)
    }

    /// Counts something that a child said and nobody can use.
    func drop(_ reason: String) {
        dropped[reason, default: 0] += 1
        log.debug("dropped a message of the server: \(reason)")
    }
}

/// What was found out about a command, once.
package struct ServerTraits: Sendable {
    /// How its messages are told apart.
    package var framing: Framing
    /// The eras that it speaks.
    package var eras: Set<Era>
    /// Which arguments of its tools are mirrored in headers, by the tool's name.
    package private(set) var headerParameters: [[UInt8]: HeaderParameters] = [:]

    /// How many tools with mirrored arguments are remembered; a further one is not checked.
    private static let toolLimit = 1000

    /// Nothing is known about tools yet.
    package init(framing: Framing, eras: Set<Era>) {
        self.framing = framing
        self.eras = eras
    }

    /// Takes note of tools as the server lists them.
    mutating func learn(_ tools: [JSONValue]) {
        for tool in tools {
            guard let name = tool["name"]?.string, let schema = tool["inputSchema"] else { continue }
            let parameters = HeaderParameters(inputSchema: schema)
            let isMirrored = parameters?.parameters.isEmpty == false
            guard !isMirrored || headerParameters.count < Self.toolLimit else { continue }
            headerParameters[Array(name.utf8)] = isMirrored ? parameters : nil
        }
    }
}
