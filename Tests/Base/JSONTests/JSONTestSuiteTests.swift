// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

/// The vectors of JSONTestSuite (Tests/Vectors/JSONTestSuite; their licence stands beside them).
@Suite struct JSONTestSuiteTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Vectors/JSONTestSuite/test_parsing")

    static func cases(_ prefix: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasPrefix(prefix) }
            .sorted()
    }

    static func accepts(_ name: String) throws -> Bool {
        let bytes = [UInt8](try Data(contentsOf: folder.appending(path: name)))
        var reader = JSONReader(bytes.span)
        do {
            try reader.skipValue()
            try reader.finish()
        } catch {
            return false
        }
        return true
    }

    @Test func `every text that must be accepted is`() throws {
        let names = try Self.cases("y_")
        #expect(names.count == 95)
        for name in names { #expect(try Self.accepts(name), "\(name)") }
    }

    @Test func `every text that must be refused is`() throws {
        let names = try Self.cases("n_")
        #expect(names.count == 188)
        for name in names { #expect(try !Self.accepts(name), "\(name)") }
    }

    /// What the grammar leaves open: numbers keep their text, so any magnitude passes; escapes of lone surrogates
    /// pass because other parsers emit them; bytes that are not UTF-8, a byte order mark and deep nesting do not.
    @Test func `what implementations may decide is decided`() throws {
        let accepted: Set<String> = [
            "i_number_double_huge_neg_exp.json", "i_number_huge_exp.json", "i_number_neg_int_huge_exp.json",
            "i_number_pos_double_huge_exp.json", "i_number_real_neg_overflow.json",
            "i_number_real_pos_overflow.json",
            "i_number_real_underflow.json", "i_number_too_big_neg_int.json", "i_number_too_big_pos_int.json",
            "i_number_very_big_negative_int.json", "i_object_key_lone_2nd_surrogate.json",
            "i_string_1st_surrogate_but_2nd_missing.json", "i_string_1st_valid_surrogate_2nd_invalid.json",
            "i_string_incomplete_surrogate_and_escape_valid.json", "i_string_incomplete_surrogate_pair.json",
            "i_string_incomplete_surrogates_escape_valid.json", "i_string_invalid_lonely_surrogate.json",
            "i_string_invalid_surrogate.json", "i_string_inverted_surrogates_U+1D11E.json",
            "i_string_lone_second_surrogate.json",
        ]
        let names = try Self.cases("i_")
        #expect(names.count == 35)
        for name in names { #expect(try Self.accepts(name) == accepted.contains(name), "\(name)") }
    }
}
