// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Crypto
package import HTTPWire
import JSONRPC

/// Keys of which a request must bring one, as Azure Functions wants them: in `x-functions-key`, else as `code` in the query.
///
/// Health and readiness need none, nor do a browser's preflights, which cannot bring any. What is compared are hashes, in full
/// each time, so that the time it takes tells nothing about a key.
package struct AccessKeys: Sendable {
    private let hashes: [[UInt8]]

    /// Takes the keys; nil if there is none, or one of them is empty.
    package init?(_ keys: [String]) {
        guard !keys.isEmpty, !keys.contains("") else { return nil }
        hashes = keys.map { SHA256.hash(Array($0.utf8)) }
    }

    /// Lets requests with a key pass.
    ///
    /// - Parameter head: The request.
    /// - Throws: A refusal with status 401, for every other one.
    package func check(_ head: HTTPRequestHead) throws(Refusal) {
        if head.method == .options || Resource(path: head.path).isVital { return }
        let fields = head.values(named: "x-functions-key")
        let given = fields.isEmpty ? Self.code(head.query) : fields.count == 1 ? Array(fields[0]) : nil
        if let given, isKnown(given) { return }
        throw Refusal(
            401,
            .invalidRequest,
            "A key is needed, in x-functions-key or as \"code\" in the query",
            fields: [("WWW-Authenticate", "ApiKey")]
        )
    }

    private func isKnown(_ key: [UInt8]) -> Bool {
        let hash = SHA256.hash(key)
        var found = false
        for known in hashes {
            var difference: UInt8 = 0
            for (first, second) in zip(known, hash) { difference |= first ^ second }
            if difference == 0 { found = true }
        }
        return found
    }

    /// The value of `code`, decoded; nil if there is none, more than one, or one that cannot be decoded.
    private static func code(_ query: ArraySlice<UInt8>?) -> [UInt8]? {
        guard let query else { return nil }
        let values = query.split(separator: UInt8(ascii: "&")).filter { $0.starts(with: "code=".utf8) }
        guard values.count == 1 else { return nil }
        return decoded(values[0].dropFirst(5))
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst(), let low = rest.popFirst(),
                let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
        }
        return bytes
    }
}
