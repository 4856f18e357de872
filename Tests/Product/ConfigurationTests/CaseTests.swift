// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import FoundationEssentials
import Testing

/// Broken files, one for each kind of mistake, with what must be said about them next to each.
///
/// `RECORD=1 swift test --filter ConfigurationTests` writes the `.expected` files anew; read the difference then.
@Suite("Broken configurations")
struct CaseTests {
    @Test func `There are cases, and each has its expectation`() throws {
        #expect(Repository.cases.count >= 20)
        let expectations = try Repository.files(in: Repository.caseFolder, ending: ".expected")
        #expect(expectations == Repository.cases.map { $0.replacing(".json", with: ".expected") })
    }

    @Test(arguments: Repository.cases) func `Every mistake is told, with its place`(name: String) throws {
        let text = try Repository.text(of: "\(Repository.caseFolder)/\(name)")
        let found = report(text)
        var lines = found.issues.map(\.description)
        lines.append(found.mayStart ? "starts" : "does not start")
        lines += found.configuration.servers.compactMap { server in
            server.problem.map { "\(server.name) answers: \($0)" }
        }
        let actual = lines.joined(separator: "\n") + "\n"
        let file = "\(Repository.caseFolder)/\(name.replacing(".json", with: ".expected"))"
        if ProcessInfo.processInfo.environment["RECORD"] != nil { try Repository.write(actual, to: file) }
        #expect(try Repository.text(of: file) == actual)
        #expect(!actual.contains("secret-token"))
    }
}
