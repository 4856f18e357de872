// Gatehouse. SPDX-License-Identifier: MIT

import Testing

@testable import Configuration

/// What a right configuration means.
@Suite("Configuration reader")
struct ReaderTests {
    @Test(arguments: [
        #"{"mcpServers": {"git": {"command": "git-server"}}}"#,
        #"{"servers": {"git": {"command": "git-server"}}}"#,
        #"{"mcp": {"server": {"git": {"command": "git-server"}}}}"#,
        #"{"mcp": {"servers": {"git": {"command": "git-server"}}, "inputs": []}, "inputs": [], "$schema": "x"}"#,
    ])
    func `All forms mean the same`(text: String) throws {
        let report = report(text)
        #expect(report.issues.isEmpty)
        #expect(report.configuration.servers.map(\.name) == ["git"])
        #expect(report.configuration.servers.first?.command == "git-server")
        #expect(report.configuration.defaultServer?.name == "git")
    }

    @Test func `Every key of a server arrives`() throws {
        let report = report(
            """
            {mcpServers: {git: {
              command: ' git-server ', args: ['--x', '${TOKEN}'], env: {A: '${env:TOKEN}', B: '$${TOKEN} $x'},
              cwd: '/srv', type: 'stdio', timeout_seconds: 1.5, request_timeout_seconds: '${WAIT:-7}',
              restart_on_failure: '${NO}', max_restarts: 0, description: 'd', isolation: 'call',
              framing: 'content-length', era: 'dual', limits: {sessions: 1, children: 2, inFlight: 3},
              warm: 0, sandbox: 'none', auth: {method: 'none'}, alwaysAllow: ['a'], autoApprove: [],
            }}}
            """,
            variables: ["NO": "false"]
        )
        #expect(report.issues.map(\.description) == [])
        let server = try #require(report.configuration.servers.first)
        #expect(server.command == "git-server")
        #expect(server.arguments == ["--x", "secret-token"])
        #expect(server.environment == ["A": "secret-token", "B": "${TOKEN} $x"])
        #expect(server.workingDirectory == "/srv")
        #expect(server.startTimeout == .milliseconds(1500))
        #expect(server.requestTimeout == .seconds(7))
        #expect(!server.restartsOnFailure && server.maxRestarts == 0)
        #expect(server.summary == "d")
        #expect(server.isolation == .call && server.framing == .contentLength && server.era == .dual)
        #expect(server.limits.sessions == 1 && server.limits.children == 2 && server.limits.inFlight == 3)
        #expect(server.problem == nil && server.isEnabled)
    }

    @Test func `Every key of the gateway arrives`() {
        let report = report(
            """
            {mcpServers: {a: {command: 'git-server'}, b: {command: 'git-server'}}, gateway: {
              host: '[::]', port: 0, publicURL: 'https://mcp.example.com/x', hosts: ['MCP.example.com:8443', '[::1]'],
              origins: ['https://App.example.com'], authentication: 'none', default: 'b', trustedProxies: [], tls: null,
              limits: {sessions: 5, replaySeconds: 0.25}, timeouts: {head: 0.1, heartbeat: 0},
            }}
            """
        )
        #expect(report.issues.map(\.description) == [])
        let configuration = report.configuration
        #expect(configuration.host == "::" && configuration.port == 0 && !configuration.bindsToLoopback)
        #expect(configuration.publicURL == "https://mcp.example.com/x")
        #expect(configuration.hosts == ["mcp.example.com:8443", "[::1]"])
        #expect(configuration.origins == ["https://app.example.com"])
        #expect(configuration.authentication == .none)
        #expect(configuration.defaultServer?.name == "b")
        #expect(configuration.limits.sessions == 5)
        #expect(configuration.limits.replayTime == .milliseconds(250))
        #expect(
            configuration.timeouts.head == .milliseconds(100) && configuration.timeouts.heartbeat == .zero
        )
    }

    @Test func `Without a default, only a single enabled server answers at the short path`() {
        let two = report("{mcpServers: {a: {command: 'git-server'}, b: {command: 'git-server'}}}")
        #expect(two.configuration.defaultServer == nil)
        let one = report(
            "{mcpServers: {a: {command: 'git-server'}, b: {command: 'git-server', disabled: true}}}"
        )
        #expect(one.configuration.defaultServer?.name == "a")
    }

    @Test func `A server that is turned off has warnings only, and nothing is looked for`() {
        let report = report(
            "{mcpServers: {a: {command: 'git-server'}, b: {enabled: false, command: 'absent', env: {X: '${UNSET}'}}}}"
        )
        #expect(report.isValid)
        #expect(report.issues.map(\.severity) == [.warning])
        #expect(report.configuration.servers.map(\.isEnabled) == [true, false])
    }

    @Test func `The command line goes over the file before the address is judged`() {
        let open = "{mcpServers: {a: {command: 'git-server'}}, gateway: {host: '0.0.0.0', port: 1}}"
        #expect(!report(open).mayStart)
        let closed = report(open, overrides: ConfigurationOverrides(host: "127.0.0.2", port: 9))
        #expect(closed.isValid)
        #expect(closed.configuration.host == "127.0.0.2" && closed.configuration.port == 9)
        let plain = "{mcpServers: {a: {command: 'git-server'}}}"
        let opened = report(plain, overrides: ConfigurationOverrides(host: "::"))
        #expect(opened.issues.map(\.keyPath) == ["--host", "--host"])
        #expect(!opened.mayStart)
        let wrong = report(plain, overrides: ConfigurationOverrides(host: "example.com"))
        #expect(
            wrong.issues.map(\.description)
                == ["gatehouse.json: error: --host: must be an IP address or \"localhost\""]
        )
    }

    @Test func `Silence about authentication is not consent`() {
        for words in ["", "authentication: null,"] {
            let open = report(
                "{mcpServers: {a: {command: 'git-server'}}, gateway: {\(words) host: '0.0.0.0', hosts: ['a']}}"
            )
            #expect(!open.mayStart)
            #expect(open.configuration.authentication == .unstated)
        }
    }

    @Test func `A mistake in one server stops that one only`() throws {
        let report = report("{mcpServers: {a: {command: 'absent'}, b: {command: 'git-server'}}}")
        #expect(report.mayStart && !report.isValid)
        let problem = try #require(report.configuration.servers[0].problem)
        #expect(problem.contains("the command \"absent\" was not found"))
        #expect(!problem.contains("/bin"))
        #expect(report.configuration.servers[1].problem == nil)
    }

    @Test func `The well-known files are looked for in order, and the first is taken`() {
        let all = ConfigurationFile.candidates(in: .fake(["HOME": "/home/me"]))
        #expect(all.count == 19)
        #expect(
            all.prefix(5) == [
                "gatehouse.json", "mcp_config.json", "mcp.json", ".mcp.json", ".vscode/mcp.json",
            ]
        )
        #expect(all[7] == "/home/me/mcp_config.json" && all[13] == "/home/me/.config/mcp/mcp_config.json")
        #expect(ConfigurationFile.candidates(in: .fake()).count == 7)
        let environment = ConfigurationEnvironment.fake(files: ["/place/mcp.json", "/place/servers.json"])
        #expect(ConfigurationFile.find(in: environment) == "mcp.json")
        #expect(ConfigurationFile.find(in: .fake()) == nil)
    }

    @Test func `A file is read, and one that cannot be read stops the start`() {
        let missing = ConfigurationReader.load("/nonexistent/x.json", in: .fake())
        #expect(
            missing.issues.map(\.description) == [
                "/nonexistent/x.json: error: cannot read /nonexistent/x.json: No such file or directory"
            ]
        )
        #expect(!missing.mayStart)
        let whole = ConfigurationReader.load(
            Repository.root + "/examples/git.json",
            in: .fake(["PATH": "/bin"], programs: ["/bin/uvx"])
        )
        #expect(whole.isValid)
        let none = ConfigurationReader.load(nil, in: .fake())
        #expect(none.issues.first?.message == "no configuration file")
        #expect(!none.mayStart)
    }

    @Test func `The real environment knows files, programs and directories`() throws {
        let environment = ConfigurationEnvironment.current(variables: [:])
        #expect(environment.isExecutable("/bin/sh") && !environment.isExecutable("/bin"))
        #expect(environment.isDirectory("/bin") && !environment.isDirectory("/bin/sh"))
        #expect(environment.isReadable(#filePath) && !environment.isReadable("/bin"))
        #expect(environment.workingDirectory.hasPrefix("/"))
        #expect(throws: FileFailure.self) { try ConfigurationEnvironment.contents(of: #filePath, limit: 10) }
    }

    @Test(
        arguments: [
            (Duration.seconds(1.5), 1500), (.milliseconds(1), 1), (.microseconds(1), 1), (.zero, 0),
            (.seconds(-1), 0),
            (.seconds(Int64.max), UInt64.max),
        ] as [(Duration, UInt64)]
    )
    func `Times become whole milliseconds, rounded up`(time: Duration, expected: UInt64) {
        #expect(time.wholeMilliseconds == expected)
    }
}
