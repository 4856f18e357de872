// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON

/// The state of a round, or the id of a task, of one of several servers: with the server's name and the number of the
/// conversation with it, so that what a client gives back finds its way.
///
/// Clients see it sealed by the frontend, so that it is only read here if it was written here.
package struct FederatedState: Sendable, Equatable {
    /// The server's name.
    package var server: [UInt8]
    /// The number of the conversation with the server.
    package var instance: UInt64
    /// The server's own state or id; nil if it gave none.
    package var inner: [UInt8]?

    /// Makes one.
    package init(server: [UInt8], instance: UInt64, inner: [UInt8]?) {
        self.server = server
        self.instance = instance
        self.inner = inner
    }

    /// Reads one; nil if it is none.
    package init?(_ text: [UInt8]) {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 2, omittingEmptySubsequences: false)
        guard parts.count >= 2, !parts[0].isEmpty,
            let number = UInt64(String(decoding: parts[1], as: UTF8.self))
        else { return nil }
        server = Array(parts[0])
        instance = number
        inner = parts.count > 2 ? Array(parts[2]) : nil
    }

    /// As text: `server.number` or `server.number.inner`; a server's name has no dots.
    package var text: [UInt8] {
        var text = server
        text.append(UInt8(ascii: "."))
        text.append(decimal: instance)
        if let inner {
            text.append(UInt8(ascii: "."))
            text.append(contentsOf: inner)
        }
        return text
    }

    /// As a JSON string.
    package var quoted: [UInt8] {
        var output: [UInt8] = []
        output.append(json: text)
        return output
    }
}
