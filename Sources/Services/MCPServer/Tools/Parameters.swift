// Gatehouse. SPDX-License-Identifier: MIT

/// Fields that a client fills in, each declared with `@Parameter`: a tool's arguments, a form, or an object within
/// them.
///
/// ```swift
/// struct SignUp: Parameters {
///     @Parameter("How to call you.", minLength: 1) var name: String
///     @Parameter("Where to write to.", format: .email) var address: String?
/// }
/// ```
///
/// A type is made by the compiler from what it declares; it has no other stored properties than such fields. What
/// comes from a client is checked against the declarations, and everything that is wrong with it is told at once, by the
/// names of the fields.
public protocol Parameters: Decodable, Sendable {
    /// Declares the fields; they have no values yet.
    init()

    /// Whether fields that are not declared are ignored; else they are refused.
    static var allowsUnknownFields: Bool { get }
}

extension Parameters {
    /// They are refused.
    public static var allowsUnknownFields: Bool { false }
}
