// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient
import MCPCore
import Testing

@Suite struct EraNegotiationTests {
    private typealias Outcome = Result<JSONValue, MCPClientError>

    private static func refused(
        _ code: Int,
        _ status: Int? = nil,
        supported: [String]? = nil
    ) -> MCPClientError {
        let data = supported.map { JSONValue.object([.init("supported", .array($0.map { .string($0) }))]) }
        return .refused(Failure(ErrorCode(code), "no", data: data, source: .upstream), status: status)
    }

    /// What follows from the first answer: an era, or `fail`.
    private func way(_ preference: EraPreference, isProcess: Bool, _ outcome: Outcome) -> String {
        var negotiation = EraNegotiation(preference, isProcess: isProcess)
        #expect(negotiation.begin() == .discover)
        switch negotiation.discovered(outcome) {
        case .done(let server): return server.revision.rawValue
        case .initialize(let revision): return "initialize \(revision.rawValue)"
        case .fail: return "fail"
        case .discover: return "discover"
        case .openEventStream: return "event stream"
        }
    }

    @Test func `a server that can be discovered is modern`() {
        let result: JSONValue = [
            "supportedVersions": ["2026-07-28"], "capabilities": ["tools": [:]], "instructions": "x",
            "_meta": ["io.modelcontextprotocol/serverInfo": ["name": "n"]],
        ]
        var negotiation = EraNegotiation(.auto, isProcess: true)
        _ = negotiation.begin()
        guard case .done(let server) = negotiation.discovered(.success(result)) else {
            Issue.record("it is not done")
            return
        }
        #expect(server.era == .modern)
        #expect(server.info["name"] == "n")
        #expect(server.offers("tools"))
        #expect(!server.offers("prompts"))
        #expect(server.instructions == "x")
    }

    @Test(arguments: [
        (["2026-07-28", "2025-11-25"], "2026-07-28"),
        (["2025-06-18", "2025-11-25"], "initialize 2025-11-25"),
        (["2024-11-05"], "initialize 2024-11-05"), (["2031-01-01"], "fail"), ([], "fail"),
    ])
    func `of the versions that a server names, the best common one is taken`(
        _ versions: [String],
        _ way: String
    ) {
        let result: JSONValue = ["supportedVersions": .array(versions.map { .string($0) })]
        #expect(self.way(.auto, isProcess: false, .success(result)) == way)
    }

    @Test(
        arguments: [
            (-32022, ["2025-11-25"], "initialize 2025-11-25"), (-32022, ["2031-01-01"], "fail"),
            (-32022, ["2026-07-28"], "discover"),
            (-32020, nil, "2026-07-28"), (-32021, nil, "2026-07-28"), (-32601, nil, "initialize 2025-11-25"),
            (-32602, nil, "initialize 2025-11-25"), (-32000, nil, "initialize 2025-11-25"),
        ] as [(Int, [String]?, String)]
    )
    func `errors that only the modern era has show a modern server, others a legacy one`(
        _ code: Int,
        _ supported: [String]?,
        _ way: String
    ) {
        for status in [nil, 200, 400] {
            let error = Self.refused(code, status, supported: supported)
            for isProcess in [true, false] {
                #expect(self.way(.auto, isProcess: isProcess, .failure(error)) == way)
            }
        }
    }

    @Test(arguments: [400, 404, 405, 406, 415])
    func `a refusal by status alone leads to the legacy era`(_ status: Int) {
        let error = MCPClientError.http(status: status, detail: "")
        #expect(way(.auto, isProcess: false, .failure(error)) == "initialize 2025-11-25")
    }

    @Test(arguments: [401, 403, 500, 502, 503, 302])
    func `a status that says nothing about the era ends it`(_ status: Int) {
        #expect(way(.auto, isProcess: false, .failure(.http(status: status, detail: ""))) == "fail")
        #expect(way(.auto, isProcess: false, .failure(Self.refused(-32603, status))) == "fail")
    }

    @Test func `silence and an early end are answers of a process only`() {
        for error in [MCPClientError.timedOut, .ended("x")] {
            #expect(way(.auto, isProcess: true, .failure(error)) == "initialize 2025-11-25")
            #expect(way(.auto, isProcess: false, .failure(error)) == "fail")
        }
        #expect(way(.auto, isProcess: true, .failure(.unreachable("x"))) == "fail")
    }

    @Test func `who wants only the modern era does not fall back`() {
        #expect(way(.modern, isProcess: true, .failure(Self.refused(-32601))) == "fail")
        #expect(way(.modern, isProcess: true, .failure(.timedOut)) == "fail")
        #expect(way(.modern, isProcess: false, .success(["supportedVersions": ["2025-11-25"]])) == "fail")
        #expect(way(.modern, isProcess: false, .success([:])) == "fail")
    }

    // MARK: The handshake of the legacy era

    @Test(arguments: ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"])
    func `a legacy server chooses the revision`(_ version: String) {
        var negotiation = EraNegotiation(.legacy, isProcess: true)
        #expect(negotiation.begin() == .initialize(.v2025_11_25))
        let step = negotiation.initialized(
            .success(["protocolVersion": .string(version), "capabilities": [:]])
        )
        guard case .done(let server) = step else {
            Issue.record("it is not done")
            return
        }
        #expect(server.revision.rawValue == version)
    }

    @Test(arguments: ["", "2026-07-28", "1"])
    func `a revision without a handshake is not accepted in one`(_ version: String) {
        var negotiation = EraNegotiation(.legacy, isProcess: true)
        _ = negotiation.begin()
        guard
            case .fail(.incompatible) = negotiation.initialized(
                .success(["protocolVersion": .string(version)])
            )
        else {
            Issue.record("it was accepted")
            return
        }
    }

    @Test func `a server that names older revisions is asked once more`() {
        var negotiation = EraNegotiation(.legacy, isProcess: false)
        _ = negotiation.begin()
        let error = Self.refused(-32602, supported: ["2024-11-05", "2025-03-26", "x"])
        #expect(negotiation.initialized(.failure(error)) == .initialize(.v2025_03_26))
        #expect(negotiation.initialized(.failure(error)) == .fail(error))
    }

    @Test func `a server that refuses the revision that it names is asked once more, not for ever`() {
        var negotiation = EraNegotiation(.auto, isProcess: false)
        _ = negotiation.begin()
        let error = Self.refused(-32022, 400, supported: ["2026-07-28"])
        #expect(negotiation.discovered(.failure(error)) == .discover)
        guard case .fail(.incompatible) = negotiation.discovered(.failure(error)) else {
            Issue.record("it is asked for ever")
            return
        }
    }

    @Test(arguments: [400, 404, 405])
    func `an endpoint that takes no initialize may be an event stream`(_ status: Int) {
        for error in [MCPClientError.http(status: status, detail: ""), Self.refused(-32601, status)] {
            var negotiation = EraNegotiation(.legacy, isProcess: false)
            _ = negotiation.begin()
            #expect(negotiation.initialized(.failure(error)) == .openEventStream(.v2025_11_25))
            // What is told in the end is why the newer transport was refused.
            #expect(negotiation.initialized(.failure(.ended("x"))) == .fail(error))
            var process = EraNegotiation(.legacy, isProcess: true)
            _ = process.begin()
            #expect(process.initialized(.failure(error)) == .fail(error))
        }
    }

    @Test(arguments: [
        MCPClientError.http(status: 401, detail: ""), .http(status: 500, detail: ""), .timedOut,
        refused(-32020, 400),
    ])
    func `other ends of initialize are the end`(_ error: MCPClientError) {
        var negotiation = EraNegotiation(.legacy, isProcess: false)
        _ = negotiation.begin()
        #expect(negotiation.initialized(.failure(error)) == .fail(error))
    }

    @Test func `a server that is known to be an event stream is asked nothing else`() {
        var negotiation = EraNegotiation(.auto, isProcess: false, binding: .eventStream)
        #expect(negotiation.begin() == .openEventStream(.v2025_11_25))
        let error = Self.refused(-32602, supported: ["2024-11-05"])
        #expect(negotiation.initialized(.failure(error)) == .initialize(.v2024_11_05))
        var modern = EraNegotiation(.modern, isProcess: false, binding: .eventStream)
        guard case .fail(.incompatible) = modern.begin() else {
            Issue.record("the modern era has no such transport")
            return
        }
    }

    @Test func `a server that is known not to be an event stream is not asked for one`() {
        var negotiation = EraNegotiation(.legacy, isProcess: false, binding: .streamable)
        _ = negotiation.begin()
        let error = MCPClientError.http(status: 405, detail: "")
        #expect(negotiation.initialized(.failure(error)) == .fail(error))
    }
}
