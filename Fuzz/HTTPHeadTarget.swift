// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes HTTPWire

import Bytes
import HTTPWire

/// Small limits, so that short inputs reach them.
private let limits = HTTPLimits(target: 64, field: 128, head: 1024, fieldCount: 16)

/// The first byte says where the rest is cut; the outcome must be that of the whole.
///
/// A head that is accepted and written out plainly must be accepted again and say the same.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let input = Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    let whole = read(bytes, cuts: [])
    let cut = bytes.isEmpty ? 0 : Int(first) * bytes.count / 256
    precondition(whole.outcome == read(bytes, cuts: [cut]).outcome, "a cut changes the outcome")
    if bytes.count <= 64 {
        precondition(
            whole.outcome == read(bytes, cuts: Array(bytes.indices)).outcome,
            "cuts change the outcome"
        )
    }
    guard let head = whole.head else { return 0 }
    precondition(head.fieldCount <= limits.fieldCount)
    precondition(head.authority != nil || head.version == .http10)
    let again = read(plain(head), cuts: [])
    guard let copy = again.head else { preconditionFailure("what was accepted is refused: \(again.outcome)") }
    precondition(copy.target == head.target && copy.path == head.path && copy.query == head.query)
    precondition(copy.authority == head.authority && copy.bodyFraming == head.bodyFraming)
    precondition(copy.keepsAlive == head.keepsAlive && copy.expectsContinue == head.expectsContinue)
    for name in HTTPFieldName.allCases {
        precondition(copy.value(name) == head.value(name) && copy.count(name) == head.count(name))
        precondition(name == .other || head.count(name) == head.values(named: name.spelling).count)
    }
    return 0
}

private enum Outcome: Equatable {
    case head(Int)
    case needMore
    case refused(HTTPWireError)
}

private func read(_ bytes: [UInt8], cuts: [Int]) -> (outcome: Outcome, head: HTTPRequestHead?) {
    var parser = HTTPRequestHeadParser(limits: limits)
    for end in cuts + [bytes.count] {
        let part = Array(bytes[..<end])
        do {
            if let length = try parser.parse(part.span) { return (.head(length), parser.takeHead()) }
        } catch {
            return (.refused(error), nil)
        }
    }
    return (.needMore, nil)
}

/// The head without white space that means nothing.
private func plain(_ head: HTTPRequestHead) -> [UInt8] {
    var output = Array(head.methodName)
    output.append(UInt8(ascii: " "))
    output += head.target
    output.append(literal: head.version == .http10 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
    head.forEachField { name, value in
        output += name
        output.append(UInt8(ascii: ":"))
        output += value
        output.append(literal: "\r\n")
    }
    output.append(literal: "\r\n")
    return output
}
