// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes HTTPWire

import HTTPWire

/// The first byte says where the rest is cut; the outcome must be that of the whole.
///
/// A body that is accepted and written in one chunk must be read again as it was.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let whole = read([bytes])
    let cut = bytes.isEmpty ? 0 : Int(first) * bytes.count / 256
    precondition(whole == read([Array(bytes[..<cut]), Array(bytes[cut...])]), "a cut changes the outcome")
    if bytes.count <= 64 { precondition(whole == read(bytes.map { [$0] }), "cuts change the outcome") }
    precondition(whole.consumed <= bytes.count && whole.body.count <= bytes.count)
    guard whole.hasEnded else { return 0 }
    var written: [UInt8] = []
    HTTPResponseHead.append(chunk: whole.body.span, to: &written)
    HTTPResponseHead.appendLastChunk(to: &written)
    let again = read([written])
    precondition(again.hasEnded && again.body == whole.body && again.consumed == written.count)
    return 0
}

private struct Outcome: Equatable {
    var body: [UInt8] = []
    var hasEnded = false
    var error: HTTPWireError?
    /// Bytes read before the end; not told where there was none.
    var consumed = 0
}

private func read(_ parts: [[UInt8]]) -> Outcome {
    var decoder = HTTPChunkedDecoder(
        limits: HTTPLimits(field: 64, head: 256, fieldCount: 8, chunkExtensions: 64)
    )
    var outcome = Outcome()
    var start = 0
    for part in parts where !outcome.hasEnded && outcome.error == nil {
        var position = 0
        reading: while true {
            do {
                switch try decoder.next(part.span, from: &position) {
                case .needMore:
                    precondition(position == part.count, "bytes are left")
                    break reading
                case .data(let range):
                    precondition(!range.isEmpty && range.upperBound == position)
                    outcome.body += part[range]
                case .end:
                    outcome.hasEnded = true
                    outcome.consumed = start + position
                    break reading
                }
            } catch {
                outcome.error = error
                break reading
            }
        }
        start += part.count
    }
    return outcome
}
