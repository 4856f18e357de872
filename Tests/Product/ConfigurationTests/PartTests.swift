// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Configuration

/// Variables, commands, environments, hosts and suggestions.
@Suite("Parts of the configuration")
struct PartTests {
    private func server(_ command: String, _ arguments: [String] = []) -> ServerConfiguration {
        ServerConfiguration(name: "s", command: command, arguments: arguments)
    }

    @Test(arguments: [
        ("a ${X} b", "a 1 b"), ("${X}${X}", "11"), ("${env:X}", "1"), ("${Y:-d}", "d"), ("${E:-d}", "d"),
        ("${E}", ""), ("${X:-d}", "1"), ("${Y:-}", ""), ("${Y:-a:-b}", "a:-b"), ("$${X}", "${X}"),
        ("$X $ $$ }", "$X $ $$ }"),
        ("$$${X}", "$${X}"), ("${N}", "${X}"), ("${env:Y:-é}", "é"),
    ])
    func `Variables are put in`(text: String, expected: String) throws {
        let variables = ["X": "1", "E": "", "N": "${X}"]
        #expect(try VariableExpansion.expand(text, variables) == expected)
    }

    @Test(arguments: [
        ("${Y}", "the variable Y is not set"),
        ("${env:Y}", "the variable Y is not set"),
        (
            "${input:token}",
            "\"${input:token}\" is asked from a person by an editor; there is nobody to ask here"
        ),
        ("${workspaceFolder}/x", "\"${workspaceFolder}\" is only known to an editor"),
        ("${workspaceFolder:api}", "\"${workspaceFolder:api}\" is only known to an editor"),
        ("${userHome}", "\"${userHome}\" is only known to an editor"),
        ("${command:pick}", "\"${command:pick}\" is only known to an editor"),
        ("${X", "\"${\" without \"}\""),
        ("${}", "\"${}\" names no variable"),
        ("${1X}", "\"${1X}\" names no variable"),
        ("${A B}", "\"${A B}\" names no variable"),
        ("${A:-${B}}", "a default cannot refer to another variable"),
    ])
    func `What cannot be put in is refused by name`(text: String, message: String) {
        let failure = #expect(throws: VariableExpansion.Failure.self) {
            try VariableExpansion.expand(text, [:])
        }
        #expect(failure?.message == message)
    }

    @Test func `A command is found in the first directory of PATH that has it`() throws {
        let environment = ConfigurationEnvironment.fake(
            ["PATH": ":bin:/a:/b/:/c"],
            programs: ["/b/tool", "/c/tool", "bin/tool", "tool", "/place/tool"]
        )
        let found = try CommandResolver.resolve(server("tool", ["-x"]), in: environment)
        #expect(found == ResolvedCommand(executable: "/b/tool", arguments: ["-x"]))
    }

    @Test func `The server's own PATH goes first, and there is one if none is set`() throws {
        let environment = ConfigurationEnvironment.fake(programs: ["/usr/bin/tool", "/own/tool"])
        #expect(try CommandResolver.resolve(server("tool"), in: environment).executable == "/usr/bin/tool")
        var own = server("tool")
        own.environment["PATH"] = "/own"
        #expect(try CommandResolver.resolve(own, in: environment).executable == "/own/tool")
    }

    @Test func `A path is relative to the working directory of the server`() throws {
        let environment = ConfigurationEnvironment.fake(programs: [
            "/srv/./x", "/place/sub/bin/x", "/place/bin/x", "/x",
        ])
        var local = server("./x")
        local.workingDirectory = "/srv"
        #expect(try CommandResolver.resolve(local, in: environment).executable == "/srv/./x")
        local.command = "bin/x"
        local.workingDirectory = "sub"
        #expect(try CommandResolver.resolve(local, in: environment).executable == "/place/sub/bin/x")
        #expect(try CommandResolver.resolve(server("bin/x"), in: environment).executable == "/place/bin/x")
        #expect(try CommandResolver.resolve(server("/x"), in: environment).executable == "/x")
        #expect(throws: CommandFailure.self) { try CommandResolver.resolve(server("/y"), in: environment) }
    }

    @Test(arguments: [
        (["/p/uvx", "/h/.local/bin/uvx"], "/p/uvx", ["t"]),
        (["/h/.local/bin/uvx", "/p/uv"], "/h/.local/bin/uvx", ["t"]),
        (["/p/uv", "/h/.local/bin/uv"], "/p/uv", ["tool", "run", "t"]),
        (["/h/.local/bin/uv"], "/h/.local/bin/uv", ["tool", "run", "t"]),
    ])
    func `uvx is found where it is put, or replaced by uv`(
        programs: [String],
        path: String,
        arguments: [String]
    ) throws {
        let environment = ConfigurationEnvironment.fake(
            ["PATH": "/p", "HOME": "/h"],
            programs: Set(programs)
        )
        let found = try CommandResolver.resolve(server("uvx", ["t"]), in: environment)
        #expect(found == ResolvedCommand(executable: path, arguments: arguments))
    }

    @Test(arguments: [
        (
            "uvx",
            "the command \"uvx\" was not found; install uv, which brings it: "
                + "https://docs.astral.sh/uv/getting-started/installation/ (or: pip install uv); "
                + "searched PATH: /p, and /h/.local/bin"
        ),
        ("npx", "the command \"npx\" was not found; searched PATH: /p"),
        (
            "uvx thing",
            "the command \"uvx thing\" was not found; no shell reads this: put what follows the program's name into \"args\""
        ),
        (
            "~/x",
            "the command \"~/x\" is not a file that can be executed; no shell reads this: write ${HOME} for ~"
        ),
    ])
    func `A command that is missing is named, and what to do`(command: String, message: String) {
        let environment = ConfigurationEnvironment.fake(["PATH": "/p", "HOME": "/h"])
        let failure = #expect(throws: CommandFailure.self) {
            try CommandResolver.resolve(server(command), in: environment)
        }
        #expect(failure?.description == message)
    }

    @Test func `A child gets the allow-list and its own variables, nothing else`() {
        let passed = [
            "PATH", "HOME", "USER", "LANG", "LC_ALL", "TZ", "TMPDIR", "XDG_CACHE_HOME", "HTTP_PROXY",
            "https_proxy",
            "NO_PROXY", "all_proxy", "SSL_CERT_FILE", "UV_CACHE_DIR", "PIP_INDEX_URL", "NODE_EXTRA_CA_CERTS",
        ]
        let kept = [
            "AWS_SECRET_ACCESS_KEY", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "LD_PRELOAD", "Http_Proxy",
            "path",
            "PATHS", "MY_PATH", "UV", "LANGUAGE", "GITHUB_TOKEN", "SSL_KEY",
        ]
        let parent = Dictionary(uniqueKeysWithValues: (passed + kept).map { ($0, "parent") })
        var own = server("x")
        own.environment = ["GITHUB_TOKEN": "own", "PATH": "own"]
        let variables = ChildEnvironment.variables(for: own, parent: parent)
        #expect(Set(variables.keys) == Set(passed + ["GITHUB_TOKEN"]))
        #expect(
            variables["GITHUB_TOKEN"] == "own" && variables["PATH"] == "own" && variables["HOME"] == "parent"
        )
    }

    @Test(
        arguments: [
            ("comand", "command"), ("comamnd", "command"), ("workingDir", "working_dir"), ("Args", "args"),
            ("arg", "args"),
            ("max_restart", "max_restarts"), ("timeoutSeconds", "timeout_seconds"), ("zzz", nil), ("", nil),
            ("completelyDifferent", nil),
        ] as [(String, String?)]
    )
    func `The nearest key is suggested`(word: String, expected: String?) {
        #expect(KeySuggestion.nearest(to: word, among: ConfigurationKeys.server) == expected)
    }

    @Test(arguments: ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost", "LocalHost"])
    func `Loopback addresses are known`(host: String) {
        #expect(HostName.isLoopback(host))
    }

    @Test(arguments: [
        "0.0.0.0", "::", "128.0.0.1", "127.0.0.1.example.com", "127.1", "0127.0.0.1", "", "::ffff:127.0.0.1",
    ])
    func `Everything else is not loopback`(host: String) {
        #expect(!HostName.isLoopback(host))
    }

    @Test(arguments: [
        ("10.0.0.1", true), ("::", true), ("2001:db8::1", true), ("1:2:3:4:5:6:7:8", true),
        ("::ffff:1.2.3.4", true),
        ("1:2:3:4:5:6:7::", true), ("1:2:3:4:5:6:7", false), ("1::2::3", false), (":::", false),
        ("12345::", false),
        ("1.2.3", false), ("1.2.3.256", false), ("example.com", false), ("", false), ("fe80::1%eth0", false),
    ])
    func `Addresses to listen on are literals`(host: String, isRight: Bool) {
        #expect(HostName.isListenable(host) == isRight)
    }

    @Test(arguments: [
        ("mcp.example.com", true), ("mcp.example.com:443", true), ("[::1]:80", true), ("a_b", true),
        ("*", false),
        ("", false), ("a:99999", false), ("a:", false), ("a b", false), ("http://a", false), ("[::1", false),
        ("a:80:80", false),
    ])
    func `Hosts are names or addresses with or without a port`(host: String, isRight: Bool) {
        #expect(HostName.isHostValue(host) == isRight)
    }

    @Test(arguments: [
        ("https://a.example", true), ("http://localhost:3000", true), ("vscode-webview://abc", true),
        ("*", false),
        ("null", false), ("https://a/", false), ("https://", false), ("a.example", false),
        ("https://a/b", false),
    ])
    func `Origins are scheme, host and port`(origin: String, isRight: Bool) {
        #expect(HostName.isOrigin(origin) == isRight)
    }
}
