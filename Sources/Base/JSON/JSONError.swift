// Gatehouse. SPDX-License-Identifier: MIT

/// Why a text is not JSON that we take, and where.
package struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong.
    package enum Kind: Sendable {
        /// The text ends inside a value.
        case unexpectedEnd
        /// A byte that cannot stand there (RFC 8259 §2).
        case unexpectedByte
        /// A number that is not of the grammar (RFC 8259 §6).
        case invalidNumber
        /// A control byte or an unknown escape in a string (RFC 8259 §7).
        case invalidString
        /// Bytes that are not UTF-8 (RFC 3629).
        case invalidUTF8
        /// Values nested deeper than the limit.
        case tooDeep
        /// A name that stands twice in one object that we read.
        case duplicateName
        /// A value of another type than the place asks for.
        case wrongType
        /// Something after the value.
        case trailingBytes
    }

    /// What is wrong.
    package let kind: Kind
    /// The offset of the byte at which it was noticed.
    package let offset: Int

    /// Makes an error.
    package init(_ kind: Kind, at offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    /// A sentence for the peer; it quotes nothing of the text.
    package var description: String {
        let what =
            switch kind {
            case .unexpectedEnd: "the text ends inside a value"
            case .unexpectedByte: "unexpected character"
            case .invalidNumber: "invalid number"
            case .invalidString: "invalid character or escape in a string"
            case .invalidUTF8: "the text is not UTF-8"
            case .tooDeep: "values are nested too deeply"
            case .duplicateName: "a name stands twice in one object"
            case .wrongType: "a value of another type was expected"
            case .trailingBytes: "something follows the value"
            }
        return "\(what) (at byte \(offset))"
    }
}
