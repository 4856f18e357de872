// Gatehouse. SPDX-License-Identifier: MIT

/// The variables a child is started with: an allow-list of ours, and over it what its configuration says.
///
/// Everything else that this process knows (keys, tokens, the platform's identity) stays here.
package enum ChildEnvironment {
    static let inheritedNames: Set<String> = [
        "PATH", "HOME", "USER", "LANG", "TZ", "TMPDIR", "NODE_EXTRA_CA_CERTS",
    ]
    static let inheritedPrefixes = ["LC_", "XDG_", "SSL_CERT_", "UV_", "PIP_"]
    /// Read in upper and lower case by different programs.
    static let proxyNames: Set<String> = ["http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"]

    /// Whether a variable of this process is passed on to children.
    package static func inherits(_ name: String) -> Bool {
        inheritedNames.contains(name) || inheritedPrefixes.contains { name.hasPrefix($0) }
            || proxyNames.contains(name)
            || proxyNames.contains(name.lowercased()) && name == name.uppercased()
    }

    /// The variables for a server's child.
    package static func variables(
        for server: ServerConfiguration,
        parent: [String: String]
    ) -> [String: String] {
        parent.filter { inherits($0.key) }.merging(server.environment) { _, own in own }
    }
}
