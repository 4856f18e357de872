// Gatehouse. SPDX-License-Identifier: MIT

/// What a confined program finds in its file system: nothing but what is named here.
///
/// Where two places lie in one another, the deeper one decides for what is in it. A place that is named twice is what
/// it was named last.
package struct SandboxView: Sendable, Equatable {
    /// What is found at a place.
    package enum Sight: Sendable, Equatable {
        /// What this machine has at a path, not to be written.
        case readable(String)
        /// What this machine has at a path.
        case writable(String)
        /// A symbolic link to a target.
        case link(String)
        /// An empty directory of the program's own, which ends with it.
        case scratch
        /// An empty directory that cannot be written.
        case hidden

        /// Whether something of this machine is seen there.
        var isOpen: Bool {
            switch self {
            case .readable, .writable: true
            case .link, .scratch, .hidden: false
            }
        }
    }

    private(set) var places: [String: Sight] = [:]

    /// Nothing at all.
    package init() {}

    /// Names a place, by its absolute path.
    mutating func put(_ sight: Sight, at path: String) {
        places[Self.tidy(path)] = sight
    }

    /// Takes a place back.
    mutating func forget(_ path: String) {
        places[Self.tidy(path)] = nil
    }

    /// What decides about a path: the deepest place that holds it.
    func sight(of path: String) -> Sight? {
        var path = Self.tidy(path)
        while true {
            if let found = places[path] { return found }
            guard let parent = Self.parent(of: path) else { return nil }
            path = parent
        }
    }

    /// Whether the program finds at a path what this machine has there, as far as links do not lead elsewhere.
    package func shows(_ path: String) -> Bool { sight(of: path)?.isOpen ?? false }

    /// What takes the place of a path that lies in one that is shown.
    func sight(of path: String, in shown: Sight) -> Sight {
        switch shown {
        case .readable: .readable(path)
        case .writable: .writable(path)
        case .link, .scratch, .hidden: shown
        }
    }

    /// Bubblewrap's arguments, outer places first; `scratch` bounds the bytes of each directory of the program's own.
    func arguments(scratch: Int) -> [String] {
        let ordered = places.sorted { Self.depth($0.key, $0.value) < Self.depth($1.key, $1.value) }
        var arguments: [String] = []
        for (path, sight) in ordered {
            switch sight {
            case .readable(let source): arguments += ["--ro-bind", source, path]
            case .writable(let source): arguments += ["--bind", source, path]
            case .link(let target): arguments += ["--symlink", target, path]
            case .scratch: arguments += ["--size", String(scratch), "--tmpfs", path]
            case .hidden: arguments += ["--size", "65536", "--tmpfs", path]
            }
        }
        // Only now, since making them read-only would hinder what is to be seen in them.
        for (path, sight) in ordered where sight == .hidden { arguments += ["--remount-ro", path] }
        return arguments
    }

    /// An order in which a place comes after all that hold it, and always the same.
    private static func depth(_ path: String, _ sight: Sight) -> (Int, String) {
        (path.utf8.count { $0 == UInt8(ascii: "/") }, path)
    }

    // MARK: Paths

    /// Whether a path is an outer one or in it.
    static func contains(_ outer: String, _ path: String) -> Bool {
        if outer.utf8.elementsEqual("/".utf8) { return true }
        guard path.utf8.starts(with: outer.utf8) else { return false }
        let rest = path.utf8.dropFirst(outer.utf8.count)
        return rest.isEmpty || rest.first == UInt8(ascii: "/")
    }

    /// A path without doubled and trailing slashes.
    static func tidy(_ path: String) -> String {
        "/"
            + path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }.joined(
                separator: "/"
            )
    }

    /// The directory that holds a path; nil for the root.
    static func parent(of path: String) -> String? {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), path.utf8.count > 1 else { return nil }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// What a path ends with.
    static func name(of path: String) -> Substring {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return Substring(path) }
        return path[path.utf8.index(after: slash)...]
    }
}
