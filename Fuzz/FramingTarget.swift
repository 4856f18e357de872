// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes StdioFraming

import StdioFraming

/// The first byte chooses the framing and where the rest is cut; the messages must be those of the whole.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let framing: Framing = first & 1 == 0 ? .newline : .contentLength
    let bytes = Array(input.dropFirst())
    let cut = bytes.isEmpty ? 0 : Int(first) * bytes.count / 256
    let whole = read([bytes], framing)
    precondition(
        whole == read([Array(bytes[..<cut]), Array(bytes[cut...])], framing),
        "a cut changes the outcome"
    )
    if bytes.count <= 64 {
        precondition(whole == read(bytes.map { [$0] }, framing), "cuts change the outcome")
    }
    return 0
}

private struct Outcome: Equatable {
    var messages: [[UInt8]] = []
    var isTooLong = false
}

private func read(_ parts: [[UInt8]], _ framing: Framing) -> Outcome {
    var reader = FrameReader(framing: framing, limit: 256)
    var outcome = Outcome()
    var held: [UInt8] = []
    for part in parts where !outcome.isTooLong {
        held += part
        var position = 0
        reading: while true {
            switch reader.next(held.span, from: &position) {
            case .message(let range): outcome.messages.append(Array(held[range]))
            case .skip: continue
            case .needMore: break reading
            case .tooLong:
                outcome.isTooLong = true
                break reading
            }
        }
        precondition(position <= held.count)
        held.removeFirst(position)
    }
    return outcome
}
