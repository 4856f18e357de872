// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes JSON

import JSON

/// What is skipped is judged as what is decoded is, and what was decoded is written so that it reads the same.
///
/// Decoding refuses more: repeated names and lone surrogates.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let isValid = isSkipped(bytes)
    guard let value = try? JSONValue(bytes.span) else { return 0 }
    precondition(isValid, "what is decoded is not skipped")
    for style in [JSONValue.Style.compact, .pretty] {
        let text = value.text(style)
        guard let again = try? JSONValue(text.span) else {
            preconditionFailure("what was written is not read")
        }
        precondition(again == value, "what was written reads otherwise")
    }
    let canonical = value.text(.canonical)
    guard let sorted = try? JSONValue(canonical.span) else {
        preconditionFailure("what was sorted is not read")
    }
    precondition(sorted.text(.canonical) == canonical, "the canonical text is not canonical")
    return 0
}

private func isSkipped(_ bytes: [UInt8]) -> Bool {
    var reader = JSONReader(bytes.span)
    do {
        let slice = try reader.skipValue()
        try reader.finish()
        precondition(slice.isPresent && slice.end <= bytes.count && slice.count > 0)
        return true
    } catch {
        precondition(error.offset <= bytes.count)
        return false
    }
}
