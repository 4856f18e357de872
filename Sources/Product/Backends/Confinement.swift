// Gatehouse. SPDX-License-Identifier: MIT

import Children
package import Configuration

/// How the processes of all servers of a configuration are confined (`sandbox`).
///
/// It knows what none of them may see: the gateway's own files, and where the other servers work.
package struct Confinement: Sendable {
    private let environment: ConfigurationEnvironment
    /// Where each server works, by its name.
    private let directories: [String: String]
    private let hiddenDirectories: [String]
    private let hiddenFiles: [String]

    /// Bytes of memory of a server under `strict`, if nothing is said.
    package static let defaultMemory = 1 << 30
    /// Processes and threads of a server under `strict`, if nothing is said.
    package static let defaultProcesses = 256

    package init(_ configuration: GatewayConfiguration, in environment: ConfigurationEnvironment) {
        self.environment = environment
        var directories: [String: String] = [:]
        for server in configuration.servers {
            guard let directory = server.workingDirectory.map({ environment.absolute($0) }) else { continue }
            directories[server.name] = SandboxFiles.realPath(of: directory) ?? directory
        }
        self.directories = directories
        hiddenDirectories = [configuration.state].compactMap(\.self).map { environment.absolute($0) }
        hiddenFiles = [configuration.file, configuration.tls?.key].compactMap(\.self)
            .map { environment.absolute($0) }
    }

    /// Whether it hides the same as another.
    func hides(sameAs other: Confinement) -> Bool {
        directories == other.directories && hiddenDirectories == other.hiddenDirectories
            && hiddenFiles == other.hiddenFiles
    }

    /// Why this machine cannot confine the servers that ask for it; nil if it can, or if none asks.
    ///
    /// The first time it runs bubblewrap once.
    package static func problem(
        of configuration: GatewayConfiguration,
        in environment: ConfigurationEnvironment
    ) -> String? {
        let asking = configuration.servers.filter { $0.isEnabled && $0.sandbox.level != .none }
        guard !asking.isEmpty else { return nil }
        let names = asking.map(\.name).joined(separator: ", ")
        do throws(SandboxFailure) {
            guard ChildSpawner.locateLauncher() != nil else {
                throw SandboxFailure("gatehouse-launcher is not beside this program")
            }
            let facilities = try SandboxFacilities.current(path: environment.variables["PATH"])
            for server in asking where server.sandbox.level == .strict {
                _ = try bounds(of: server.sandbox, facilities)
            }
            return nil
        } catch {
            return "sandbox: \(error.message); asked for by \(names)"
        }
    }

    /// What confines the processes of a server that a command starts; nil for nothing.
    ///
    /// - Throws: Why it cannot be confined. Then it must not be started.
    private func sandbox(
        for server: ServerConfiguration,
        _ command: ChildCommand
    ) throws(SandboxFailure) -> Sandbox? {
        let wanted = server.sandbox
        guard wanted.level != .none else { return nil }
        let facilities = try SandboxFacilities.current(path: environment.variables["PATH"])
        var plan = SandboxPlan(
            program: command.executable,
            environment: command.environment,
            gatewayDirectory: environment.workingDirectory
        )
        plan.isStrict = wanted.level == .strict
        plan.workingDirectory = directories[server.name]
        plan.gatewayHome = environment.variables["HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        plan.readable = wanted.readable
        plan.writable = wanted.writable
        // What this server was given by name stays, even if another one works there.
        let own = Set(wanted.readable + wanted.writable + [plan.workingDirectory].compactMap(\.self))
        plan.hiddenDirectories = directories.values.filter { !own.contains($0) } + hiddenDirectories
        plan.hiddenFiles = hiddenFiles
        var sandbox = Sandbox(bubblewrap: facilities.bubblewrap, view: try plan.view())
        guard wanted.level == .strict else { return sandbox }
        sandbox.hasNetwork = wanted.network
        sandbox.canNest = false
        sandbox.bounds = try Self.bounds(of: wanted, facilities)
        return sandbox
    }

    /// What starts a process of a server, confined if it is to be.
    ///
    /// A confined one starts in its own directory or the gateway's, and finds its temporary files where they are its own.
    func command(of server: ServerConfiguration) throws(CommandFailure) -> ChildCommand {
        let resolved = try CommandResolver.resolve(server, in: environment)
        var command = ChildCommand(
            executable: resolved.executable,
            arguments: resolved.arguments,
            environment: ChildEnvironment.variables(for: server, parent: environment.variables),
            workingDirectory: server.workingDirectory
        )
        do throws(SandboxFailure) {
            command.sandbox = try sandbox(for: server, command)
        } catch {
            throw CommandFailure(message: error.message)
        }
        guard command.sandbox != nil else { return command }
        command.workingDirectory = directories[server.name] ?? environment.workingDirectory
        if command.environment["TMPDIR"] != nil { command.environment["TMPDIR"] = "/tmp" }
        command.environment["XDG_RUNTIME_DIR"] = nil
        return command
    }

    private static func bounds(
        of wanted: SandboxConfiguration,
        _ facilities: SandboxFacilities
    ) throws(SandboxFailure) -> SandboxBounds {
        let bounds = SandboxBounds(
            memory: wanted.memory ?? defaultMemory,
            processes: wanted.processes ?? defaultProcesses,
            groups: facilities.groups
        )
        guard bounds.processGroup != nil || facilities.canCountProcesses else {
            throw SandboxFailure(
                "processes cannot be bounded here: no control group may be made for them, and the kernel does not "
                    + "count those of root; let the gateway run as a user of its own, or delegate control groups to it"
            )
        }
        return bounds
    }
}
