// Gatehouse. SPDX-License-Identifier: MIT
// rooms: Bytes URITemplate

import URITemplate

/// The first line is a template, the rest a URI: what a match finds are values of the template's variables, and it
/// expands them.
///
/// Not to the same URI always: values are decoded, so that a dot may be one that divides labels.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    let bytes = Array(UnsafeBufferPointer(start: data, count: count))
    let halves = bytes.split(separator: UInt8(ascii: "\n"), maxSplits: 1, omittingEmptySubsequences: false)
    guard halves.count == 2, let text = String(validating: halves[0], as: UTF8.self),
        let uri = String(validating: halves[1], as: UTF8.self)
    else { return 0 }
    let template: URITemplate
    do {
        template = try URITemplate(text)
    } catch {
        precondition(error.position <= text.utf8.count, "the error is beyond the template")
        return 0
    }
    guard let found = template.match(uri) else { return 0 }
    precondition(template.canMatch, "what cannot match has matched")
    precondition(found.keys.allSatisfy(template.variables.contains), "a value without a variable")
    guard (try? template.expand(found.mapValues { .text($0) })) != nil else {
        preconditionFailure("what was found does not expand")
    }
    return 0
}
