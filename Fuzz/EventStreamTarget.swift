// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes EventStream

import EventStream

/// The first byte says where the rest is cut; the outcome must be that of the whole.
///
/// Events that can be written must be read again as they were.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let whole = read([bytes])
    let cut = bytes.isEmpty ? 0 : Int(first) * bytes.count / 256
    precondition(whole == read([Array(bytes[..<cut]), Array(bytes[cut...])]), "a cut changes the outcome")
    if bytes.count <= 64 { precondition(whole == read(bytes.map { [$0] }), "cuts change the outcome") }
    for event in whole.events { rewrite(event) }
    // Whatever the data is, it makes one event.
    var written: [UInt8] = []
    try? EventStreamWriter.append(data: bytes.span, to: &written)
    precondition(read([written], limits: EventStreamLimits()).events.count == 1)
    return 0
}

private struct Outcome: Equatable {
    var events: [ServerSentEvent] = []
    var lastEventID: [UInt8] = []
    var retry: Int?
    var error: EventStreamError?
}

private let small = EventStreamLimits(line: 64, data: 128, name: 16)

private func read(_ parts: [[UInt8]], limits: EventStreamLimits = small) -> Outcome {
    var parser = EventStreamParser(limits: limits)
    var outcome = Outcome()
    for part in parts where outcome.error == nil {
        var position = 0
        do {
            while let event = try parser.next(part.span, from: &position) { outcome.events.append(event) }
            precondition(position == part.count, "bytes are left")
        } catch {
            outcome.error = error
        }
    }
    outcome.lastEventID = parser.lastEventID
    outcome.retry = parser.retry
    return outcome
}

private func rewrite(_ event: ServerSentEvent) {
    precondition(!event.type.isEmpty && event.data.count <= small.data && event.id.count <= small.name)
    precondition(!event.data.contains(UInt8(ascii: "\r")))
    var written: [UInt8] = []
    do {
        let id = event.id.isEmpty ? nil : event.id
        try EventStreamWriter.append(id: id, event: event.type, data: event.data.span, to: &written)
    } catch {
        precondition(written.isEmpty, "a refused event was written")
        return
    }
    precondition(read([written], limits: EventStreamLimits()).events == [event], "an event is not read again")
}
