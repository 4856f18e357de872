// Gatehouse. SPDX-License-Identifier: MIT

package import Backends
import Bytes

/// The servers that are offered, by name.
package struct Registry {
    private let backends: [String: any Backend]
    /// The names in the order of the configuration.
    package let names: [String]
    /// The server that answers at `/mcp`: the configured default, the only one, or several as one.
    package let defaultName: String?
    /// Those that only go on with what they have begun.
    private let former: [any Backend]
    /// Those that are offered no more and finish what they were doing: nobody finds them.
    package var retired: [any Backend] = []

    /// Makes the registry of some servers.
    package init(_ backends: [any Backend], former: [any Backend] = [], defaultName: String?) {
        self.former = former
        self.backends = Dictionary(backends.map { ($0.name, $0) }) { first, _ in first }
        names = backends.map(\.name)
        self.defaultName = defaultName
    }

    /// Finds a server by its name, compared by bytes: names are ASCII.
    package func find(_ name: String) -> (any Backend)? {
        backends[name]
    }

    /// Whether this one is offered as it is, or goes on with what it has begun.
    package func has(_ backend: any Backend) -> Bool {
        backends[backend.name] === backend || former.contains { $0 === backend }
    }

    /// All servers that are offered.
    package var all: [any Backend] { names.compactMap { backends[$0] } }

    /// All that may have processes: an old server and the one in its place have one name.
    package var supervised: [any Backend] { all + retired }
}
