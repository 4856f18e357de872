// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Gateway
import HTTPWire
import JSONRPC

/// What a request says about the bodies it sends and takes (RFC 9110 §12.5.1).
struct Negotiation {
    /// Whether it takes `application/json`.
    private(set) var acceptsJSON = false
    /// Whether it takes `text/event-stream`.
    private(set) var acceptsEvents = false
    /// Whether it names `text/event-stream`, rather than taking anything.
    private(set) var namesEvents = false

    init(_ head: HTTPRequestHead) {
        let fields = head.count(.accept)
        guard fields > 0 else { return }
        if fields == 1, head.value(.accept)?.equals("application/json, text/event-stream") == true {
            (acceptsJSON, acceptsEvents, namesEvents) = (true, true, true)
            return
        }
        for field in head.values(named: "accept") {
            for item in field.split(separator: UInt8(ascii: ",")) { read(item) }
        }
    }

    private mutating func read(_ item: ArraySlice<UInt8>) {
        let parts = item.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false).map(
            Self.trimmed
        )
        guard let type = parts.first else { return }
        let isRefused = parts.dropFirst().contains { part in
            guard part.starts(with: "q=") else { return false }
            return part.dropFirst(2).allSatisfy { $0 == UInt8(ascii: "0") || $0 == UInt8(ascii: ".") }
        }
        guard !isRefused else { return }
        if type.equalsIgnoringCase("*/*") {
            acceptsJSON = true
            acceptsEvents = true
        } else if type.equalsIgnoringCase("application/json") || type.equalsIgnoringCase("application/*") {
            acceptsJSON = true
        } else if type.equalsIgnoringCase("text/event-stream") {
            acceptsEvents = true
            namesEvents = true
        } else if type.equalsIgnoringCase("text/*") {
            acceptsEvents = true
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var bytes = bytes.drop { $0 == 0x20 || $0 == 9 }
        while let last = bytes.last, last == 0x20 || last == 9 { bytes.removeLast() }
        return bytes
    }

    /// Checks that a POST sends JSON, as it is, and takes both kinds of answer.
    static func checkPost(_ head: HTTPRequestHead) throws(Refusal) {
        try checkBody(head)
        let negotiation = Negotiation(head)
        guard negotiation.acceptsJSON, negotiation.acceptsEvents else {
            throw Refusal(
                406,
                .invalidRequest,
                "Not Acceptable: the client must accept both application/json and text/event-stream"
            )
        }
    }

    /// Checks that a POST sends JSON, as it is.
    static func checkBody(_ head: HTTPRequestHead) throws(Refusal) {
        guard head.count(.contentType) == 1, let type = head.value(.contentType), isJSON(type) else {
            throw Refusal(
                415,
                .invalidRequest,
                "Unsupported Media Type: Content-Type must be application/json"
            )
        }
        guard head.value(.contentEncoding) == nil else {
            throw Refusal(415, .invalidRequest, "Unsupported Media Type: the body must not be encoded")
        }
    }

    private static func isJSON(_ type: ArraySlice<UInt8>) -> Bool {
        if type.equals("application/json") { return true }
        let end = type.firstIndex(of: UInt8(ascii: ";")) ?? type.endIndex
        return trimmed(type[..<end]).equalsIgnoringCase("application/json")
    }
}
