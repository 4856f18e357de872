// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import FoundationEssentials

/// Files of this repository, found from where this file is, and an environment for tests.
enum Repository {
    static let root = String(#filePath.dropLast("/Tests/Product/ConfigurationTests/Repository.swift".count))

    static let examples = (try? files(in: "examples", ending: ".json")) ?? []
    static let caseFolder = "Tests/Product/ConfigurationTests/Cases"
    static let cases = (try? files(in: caseFolder, ending: ".json")) ?? []

    /// The names of the files in a folder with this ending, in order.
    static func files(in folder: String, ending: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder)
            .filter { $0.hasSuffix(ending) }.sorted()
    }

    static func bytes(of file: String) throws -> [UInt8] {
        try ConfigurationEnvironment.contents(of: root + "/" + file, limit: 1_000_000)
    }

    static func text(of file: String) throws -> String {
        String(decoding: try bytes(of: file), as: UTF8.self)
    }

    static func write(_ text: String, to file: String) throws {
        try Data(text.utf8).write(to: URL(filePath: root + "/" + file))
    }
}

extension ConfigurationEnvironment {
    /// A machine that has these programs and directories and nothing else.
    static func fake(
        _ variables: [String: String] = [:],
        programs: Set<String> = [],
        directories: Set<String> = [],
        files: Set<String> = []
    ) -> ConfigurationEnvironment {
        ConfigurationEnvironment(
            variables: variables,
            workingDirectory: "/place",
            isExecutable: { programs.contains($0) },
            isDirectory: { directories.contains($0) },
            isReadable: { files.contains($0) }
        )
    }
}

/// Reads a text as `gatehouse.json` on a machine with the programs `git-server` and `uvx`.
func report(
    _ text: String,
    overrides: ConfigurationOverrides = ConfigurationOverrides(),
    variables: [String: String] = [:]
) -> ConfigurationReport {
    let given = ["PATH": "/bin", "HOME": "/home/me", "TOKEN": "secret-token", "EMPTY": ""]
    let environment = ConfigurationEnvironment.fake(
        given.merging(variables) { $1 },
        programs: ["/bin/git-server", "/bin/uvx"],
        directories: ["/srv", "/place/sub"]
    )
    return ConfigurationReader.read(
        Array(text.utf8),
        file: "gatehouse.json",
        overrides: overrides,
        in: environment
    )
}
