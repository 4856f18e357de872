// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import EventLoop
import Gateway
import JSONRPC
import MCPCore

extension FrontendContext {
    /// Keeps a message until it is known what the server speaks, and which arguments must stand in headers too.
    ///
    /// - Parameters:
    ///   - backend: The server.
    ///   - bytes: The message's text, which was read before.
    ///   - port: Whose client waits.
    ///   - take: Takes the message then.
    ///   - refuse: Refuses it: what `take` throws, or why the server cannot be used.
    /// - Throws: Why it cannot be kept.
    func wait(
        for backend: any Backend,
        _ bytes: Span<UInt8>,
        _ port: any ReplyPort,
        take: @escaping (Message, Span<UInt8>) throws(Refusal) -> Void,
        refuse: @escaping (Refusal, Message, Span<UInt8>) -> Void
    ) throws(Refusal) {
        let kept = [UInt8](bytes)
        do {
            try backend.whenKnown { failure in
                guard port.isOpen, let message = try? Message(kept.span) else { return }
                do throws(Refusal) {
                    if let failure { throw Refusal(failure) }
                    try take(message, kept.span)
                } catch {
                    refuse(error, message, kept.span)
                }
            }
        } catch {
            throw Refusal(error)
        }
    }
}
