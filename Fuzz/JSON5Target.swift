// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes JSON

import JSON

/// The reader of configurations ends, and never beyond its input.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let read = try? JSON5Reader.read(bytes)
    // All JSON without repeated names is JSON5, up to the depth that both take.
    if read == nil, (try? JSONValue(bytes.span)) != nil {
        preconditionFailure("JSON is not taken for JSON5")
    }
    return 0
}
