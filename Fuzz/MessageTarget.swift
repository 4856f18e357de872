// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes JSON JSONRPC MCPCore

import JSON
import JSONRPC
import MCPCore

/// A message that is taken is passed on as valid JSON with the new id in it, and never read as two.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    guard let message = try? Message(bytes.span) else { return 0 }
    _ = ModernRules.check(message, bytes.span, headers: RoutingHeaders())
    _ = Era.of(message, header: nil)
    var upstream = Upstream(era: bytes.count % 2 == 0 ? .legacy : .modern, capacity: 2)
    _ = upstream.receive(message, bytes.span)
    guard message.envelope.defect == nil, message.envelope.kind == .request else { return 0 }
    var edits = Edits()
    let state = message.params.requestState
    if state.isPresent { edits.remove(message.params.requestStateName, state.quoted, of: bytes.span) }
    guard upstream.add(message, bytes.span, caller: Nobody(), clock: nil, edits: &edits) != nil else {
        return 0
    }
    var output: [UInt8] = []
    edits.apply(to: bytes.span, onOneLine: true, into: &output)
    precondition(!output.contains(10) && !output.contains(13), "the message is not on one line")
    guard let again = try? Message(output.span) else { preconditionFailure("what is passed on is not valid") }
    precondition(again.envelope.defect == nil && again.method == message.method)
    precondition(!again.params.requestState.isPresent, "the state was not taken out")
    precondition(output.span.integer(again.envelope.id) == 1, "the id is not ours")
    return 0
}

private final class Nobody: Caller {
    func reply(_ message: Message, _ bytes: Span<UInt8>, to call: Call) {}
    func notice(_ message: Message, _ bytes: Span<UInt8>, for call: Call) {}
    func failed(_ failure: Failure, _ call: Call) {}
    func cancelled(_ call: Call) {}
    func stopping(_ call: Call) {}
    func stillWaiting(_ call: Call, now: UInt64) {}
}
