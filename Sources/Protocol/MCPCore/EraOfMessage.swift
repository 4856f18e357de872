// Gatehouse. SPDX-License-Identifier: MIT

import JSON

extension Era {
    /// The era that a message from a client belongs to.
    ///
    /// The body decides where it says something: a version in `_meta` is modern, even on `initialize`; an
    /// `initialize` without one is legacy. Otherwise the version header decides, and no header means legacy.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - header: The value of `MCP-Protocol-Version`, if there is one.
    /// - Returns: The era.
    package static func of(_ message: Message, header: ArraySlice<UInt8>?) -> Era {
        if message.params.meta.versionValue.isPresent { return .modern }
        if message.method == .initialize { return .legacy }
        return header.flatMap(Revision.init(_:)) == .modern ? .modern : .legacy
    }
}
