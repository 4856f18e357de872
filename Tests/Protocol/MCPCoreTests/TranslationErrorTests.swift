// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore
import Testing

@Suite struct TranslationErrorTests {
    private static let sampling: JSONValue = ["requiredCapabilities": ["sampling": ["tools": .object([])]]]
    private static let visit: JSONValue = [
        "mode": "url", "message": "m", "url": "https://a.example/", "elicitationId": "e",
    ]

    // MARK: For a legacy client

    private func legacy(_ code: Int, _ data: JSONValue? = nil, _ method: Method = .toolsCall) -> Failure {
        Translation.legacyError(code: code, message: "m", data: data, method: method)
    }

    @Test func `a resource that does not exist has its old code`() {
        let failure = legacy(-32602, ["uri": "x://a"], .resourcesRead)
        #expect(failure == Failure(.resourceNotFound, "m", data: ["uri": "x://a"], source: .client))
        #expect(failure.code.value == -32002)
        #expect(legacy(-32602, nil, .resourcesRead).code == .invalidParams)
        #expect(legacy(-32602, ["uri": 5], .resourcesRead).code == .invalidParams)
        #expect(legacy(-32602, ["uri": "x://a"], .toolsCall).code == .invalidParams)
    }

    @Test func `what the client cannot answer is named in words and in data`() {
        let failure = legacy(-32021, Self.sampling)
        #expect(failure.code == .missingClientCapability)
        #expect(failure.message.contains("sampling (tools)"))
        #expect(failure.data == Self.sampling)
        let many: JSONValue = [
            "requiredCapabilities": ["roots": .object([]), "elicitation": ["form": 1, "url": 2]]
        ]
        #expect(legacy(-32021, many).message.hasSuffix("roots, elicitation (form, url)"))
    }

    @Test(arguments: [-32020, -32022, -32021])
    func `what is about the hop behind us is our failure`(_ code: Int) {
        for data: JSONValue? in [
            nil, .null, [], ["supported": ["x"], "requested": "y"], ["requiredCapabilities": 5],
        ] {
            let failure = legacy(code, data)
            #expect(failure.code == .internalError)
            #expect(failure.source == .upstream)
            #expect(failure.data == nil)
        }
    }

    @Test(arguments: [-32700, -32600, -32601, -32602, -32603, -32000, -32002, -32800, 0, 1, Int.max, Int.min])
    func `other errors reach a legacy client with their data`(_ code: Int) {
        for data: JSONValue? in [nil, "d", ["a": 1]] {
            let failure = legacy(code, data)
            #expect(failure.code.value == code)
            #expect(failure.message == "m")
            #expect(failure.data == data)
            #expect(failure.source == (code == -32601 || code == -32602 ? .client : .upstream))
        }
    }

    // MARK: For a modern client

    private func modern(
        _ code: Int,
        _ data: JSONValue? = nil,
        _ method: Method = .toolsCall,
        _ declared: JSONValue = .object([])
    ) -> Failure? {
        let outcome = Translation.modernOutcome(
            code: code,
            message: "m",
            data: data,
            method: method,
            declared: declared
        )
        guard case .failure(let failure) = outcome else { return nil }
        return failure
    }

    @Test func `a resource that does not exist is a wrong parameter`() {
        let expected = Failure(.invalidParams, "m", data: ["uri": "x://a"], source: .client)
        #expect(modern(-32002, ["uri": "x://a"], .resourcesRead) == expected)
        #expect(modern(-32002, nil, .resourcesRead)?.code == .invalidParams)
        #expect(modern(-32002, nil, .toolsCall)?.code == .internalError)
    }

    @Test func `a capability is only missing if the client did not declare it`() {
        let data = Self.sampling
        let failure = modern(-32021, data, .toolsCall, ["sampling": .object([])])
        #expect(failure?.code == .missingClientCapability)
        #expect(failure?.data == data)
        #expect(
            modern(-32021, data, .toolsCall, ["sampling": ["tools": .object([])]])?.code == .internalError
        )
        #expect(modern(-32021, nil)?.code == .internalError)
        #expect(modern(-32021, ["requiredCapabilities": .object([])])?.code == .internalError)
        #expect(modern(-32021, ["requiredCapabilities": ["sampling"]])?.code == .internalError)
    }

    @Test(arguments: [-32020, -32022, -32023, -32042, -32050, -32099])
    func `codes that the modern era keeps for itself are never passed on`(_ code: Int) {
        for data: JSONValue? in [nil, ["supported": ["x"], "requested": "y"], ["elicitations": []]] {
            let failure = modern(code, data, .toolsCall, ["elicitation": ["url": .object([])]])
            #expect(failure?.code == .internalError)
            #expect(failure?.source == .upstream)
        }
    }

    @Test(arguments: [
        -32700, -32600, -32601, -32602, -32603, -32000, -32019, -32100, 0, 42, Int.max, Int.min,
    ])
    func `other errors reach a modern client with their data`(_ code: Int) {
        for data: JSONValue? in [nil, "d", ["a": 1]] {
            let failure = modern(code, data)
            #expect(failure?.code.value == code)
            #expect(failure?.data == data)
        }
    }

    // MARK: URLs that must be visited

    private func urls(
        _ elicitations: JSONValue,
        _ declared: JSONValue,
        _ method: Method = .toolsCall
    ) -> [String: JSONValue]? {
        let outcome = Translation.modernOutcome(
            code: -32042,
            message: "m",
            data: ["elicitations": elicitations],
            method: method,
            declared: declared
        )
        guard case .askURLs(let questions) = outcome else { return nil }
        return Dictionary(questions) { first, _ in first }
    }

    private static let declared: JSONValue = ["elicitation": ["url": .object([])]]

    @Test func `URLs that must be visited become a round of questions`() throws {
        let asked = try #require(urls([Self.visit, Self.visit], Self.declared))
        let params: JSONValue = ["mode": "url", "message": "m", "url": "https://a.example/"]
        #expect(asked == ["url-1": params, "url-2": params])
        #expect(SchemaJudge.faults(params, as: "ElicitRequestURLParams", .modern) == [])
    }

    @Test func `there are only so many of them`() {
        let many = JSONValue.array(Array(repeating: Self.visit, count: 1000))
        #expect(urls(many, Self.declared)?.count == Translation.maximumURLs)
    }

    @Test func `a client that cannot visit URLs is told what it lacks`() {
        for declared: JSONValue in [
            .object([]), ["elicitation": .object([])], ["elicitation": ["form": .object([])]],
        ] {
            let failure = modern(-32042, ["elicitations": [Self.visit]], .toolsCall, declared)
            #expect(failure?.code == .missingClientCapability)
            #expect(failure?.data == ["requiredCapabilities": ["elicitation": ["url": .object([])]]])
        }
    }

    @Test func `questions that cannot be asked are none`() {
        let wrong: [JSONValue] = [
            .null, "x", [], [5], [["message": "m"]], [["url": "u"]], [["message": 1, "url": "u"]],
        ]
        for elicitations in wrong { #expect(urls(elicitations, Self.declared) == nil) }
        #expect(urls([5, Self.visit], Self.declared)?.count == 1)
        for method in Method.allCases where !method.mayNeedInput {
            #expect(urls([Self.visit], Self.declared, method) == nil)
            #expect(
                modern(-32042, ["elicitations": [Self.visit]], method, Self.declared)?.code == .internalError
            )
        }
    }
}
