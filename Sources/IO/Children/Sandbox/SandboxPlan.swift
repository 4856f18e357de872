// Gatehouse. SPDX-License-Identifier: MIT

/// What one server shall see, in the operator's terms; `view` says it in bubblewrap's.
package struct SandboxPlan: Sendable {
    /// Whether nothing of the system may be written, nor the caches of package runners.
    package var isStrict = false
    /// The program, absolute.
    package var program: String
    /// Its variables: HOME, and where package runners keep what they fetched.
    package var environment: [String: String]
    /// The server's own working directory, readable and writable.
    package var workingDirectory: String?
    /// The gateway's, which a server without one of its own starts in, and may read.
    package var gatewayDirectory: String
    /// The gateway's user's directory.
    package var gatewayHome: String?
    /// More that may be read; it must exist.
    package var readable: [String] = []
    /// More that may be written; it must exist.
    package var writable: [String] = []
    /// Directories that are hidden even where they lie in something that is shown.
    package var hiddenDirectories: [String] = []
    /// Files that are hidden even where they lie in something that is shown.
    package var hiddenFiles: [String] = []

    /// A plan that shows the system, the program and where it starts.
    package init(program: String, environment: [String: String], gatewayDirectory: String) {
        self.program = program
        self.environment = environment
        self.gatewayDirectory = gatewayDirectory
    }

    /// What a program needs to run at all.
    static let system = [
        "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc", "/opt", "/nix", "/snap",
        "/var/lib/ca-certificates", "/run/systemd/resolve",
    ]
    /// What everyone writes to, and everyone has for himself here.
    static let scratch = ["/tmp", "/var/tmp"]
    /// Where tools are installed in a user's directory.
    static let tools = [
        ".local/bin", ".local/lib", ".local/pipx", ".local/share/pipx", ".local/share/mise",
        ".local/share/fnm",
        ".asdf", ".bun", ".cargo/bin", ".deno", ".nvm", ".pyenv", ".volta",
    ]
    /// Where package runners keep what they fetched.
    static let caches = [".cache/uv", ".local/share/uv", ".cache/pip", ".npm"]
    /// Variables that say where else.
    static let cacheVariables = [
        "UV_CACHE_DIR", "UV_PYTHON_INSTALL_DIR", "UV_TOOL_DIR", "PIP_CACHE_DIR", "npm_config_cache",
    ]
    /// Entries of a directory that can be shown one by one.
    static let entryLimit = 4096

    /// The server's idea of its user's directory.
    private var home: String? {
        environment["HOME"].flatMap { $0.utf8.first == UInt8(ascii: "/") ? $0 : nil }
    }

    /// What to show.
    ///
    /// - Throws: A path that was asked for and does not exist.
    package func view(_ files: SandboxFiles = .current) throws(SandboxFailure) -> SandboxView {
        var view = SandboxView()
        for path in Self.system { showSystem(path, files, &view) }
        for path in Self.scratch + [home, gatewayHome].compactMap(\.self) where path != "/" {
            view.put(.scratch, at: path)
        }
        if let home {
            for path in Self.tools { showIfThere(home + "/" + path, isWritable: false, files, &view) }
            for path in Self.caches { showIfThere(home + "/" + path, isWritable: !isStrict, files, &view) }
        }
        for path in Self.cacheVariables.compactMap({ environment[$0] }) where path.hasPrefix("/") {
            if !view.shows(path) { showIfThere(path, isWritable: !isStrict, files, &view) }
        }
        if workingDirectory == nil, !holdsOthers(gatewayDirectory) {
            showIfThere(gatewayDirectory, isWritable: false, files, &view)
        }
        showProgram(files, &view)
        for (paths, isWritable) in [
            (readable, false), (writable + [workingDirectory].compactMap(\.self), true),
        ] {
            for path in paths {
                guard files.real(path) != nil else {
                    throw SandboxFailure(
                        "its sandbox cannot show \(path): there is no such file or directory"
                    )
                }
                show(path, isWritable: isWritable, files, &view)
            }
        }
        let kept = Self.scratch + Self.system + ["/"] + [home, gatewayHome].compactMap(\.self)
        // What nobody would see anyway is not even named.
        for path in hiddenDirectories.compactMap(files.real) where !kept.contains(path) && view.shows(path) {
            view.put(.hidden, at: path)
        }
        for path in hiddenFiles.compactMap(files.real) { try hide(path, files, &view) }
        return view
    }

    /// Whether a path must not be shown as a whole, because of what else is in it.
    private func holdsOthers(_ path: String) -> Bool {
        (Self.scratch + Self.system + [home, gatewayHome].compactMap(\.self))
            .contains { SandboxView.contains(SandboxView.tidy(path), $0) }
    }

    private func showSystem(_ path: String, _ files: SandboxFiles, _ view: inout SandboxView) {
        switch files.kind(path) {
        case .directory: view.put(isStrict ? .readable(path) : .writable(path), at: path)
        case .link(let target): view.put(.link(target), at: path)
        case .other, nil: break
        }
    }

    private func showIfThere(
        _ path: String,
        isWritable: Bool,
        _ files: SandboxFiles,
        _ view: inout SandboxView
    ) {
        if files.real(path) != nil { show(path, isWritable: isWritable, files, &view) }
    }

    /// Shows a path where it really is, and under the name that it was given if links led there.
    private func show(_ path: String, isWritable: Bool, _ files: SandboxFiles, _ view: inout SandboxView) {
        guard let real = files.real(path) else { return }
        let sight = isWritable ? SandboxView.Sight.writable(real) : .readable(real)
        view.put(sight, at: real)
        let path = SandboxView.tidy(path)
        if path != real, !leads(path, view) { view.put(sight, at: path) }
    }

    /// Whether the links on the way to a path are themselves in the view.
    private func leads(_ path: String, _ view: SandboxView) -> Bool {
        guard let parent = SandboxView.parent(of: path) else { return false }
        switch view.sight(of: parent) {
        case .readable?, .writable?, .link?: return true
        case .scratch?, .hidden?, nil: return false
        }
    }

    // MARK: The program

    /// Shows where the program is installed, at each of the links that lead there.
    private func showProgram(_ files: SandboxFiles, _ view: inout SandboxView) {
        var path = SandboxView.tidy(program)
        for _ in 0..<16 {
            showInstallation(path, files, &view)
            guard case .link(let target) = files.kind(path), let parent = SandboxView.parent(of: path) else {
                break
            }
            path = Self.absolute(target, from: parent)
        }
        if let real = files.real(program) { showInstallation(real, files, &view) }
    }

    /// A program in a directory `bin` has its libraries beside that; any other has them beside itself.
    private func showInstallation(_ path: String, _ files: SandboxFiles, _ view: inout SandboxView) {
        guard !view.shows(path), let directory = SandboxView.parent(of: path) else { return }
        var place = directory
        if SandboxView.name(of: directory) == "bin", let parent = SandboxView.parent(of: directory),
            !holdsOthers(parent)
        {
            place = parent
        }
        showIfThere(holdsOthers(place) ? path : place, isWritable: false, files, &view)
    }

    private static func absolute(_ target: String, from directory: String) -> String {
        var parts = target.hasPrefix("/") ? [] : directory.split(separator: "/")
        for part in target.split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    // MARK: Hidden files

    /// Hides a file by showing everything else of its directory.
    ///
    /// To cover the file itself would not last: whoever replaces the file takes the cover away.
    private func hide(_ file: String, _ files: SandboxFiles, _ view: inout SandboxView) throws(SandboxFailure)
    {
        guard let directory = SandboxView.parent(of: file), directory != "/",
            let shown = view.sight(of: directory)
        else { return }
        view.forget(file)
        guard shown.isOpen else { return }
        let entries = files.entries(directory)
        guard entries.count <= Self.entryLimit else {
            throw SandboxFailure(
                "its sandbox cannot hide \(file): there are more than \(Self.entryLimit) files beside it"
            )
        }
        view.put(.hidden, at: directory)
        for entry in entries {
            let path = directory + "/" + entry
            guard path != file, view.places[path] == nil else { continue }
            if case .link(let target) = files.kind(path) {
                view.put(.link(target), at: path)
            } else {
                view.put(view.sight(of: path, in: shown), at: path)
            }
        }
    }
}

/// Why a sandbox cannot be made, in words for the operator.
package struct SandboxFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What is wrong and, where that is known, what would be right.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }
}
