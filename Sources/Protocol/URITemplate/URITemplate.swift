// Gatehouse. SPDX-License-Identifier: MIT

/// A URI template (RFC 6570).
package struct URITemplate: Sendable {
    /// The template as written.
    package let text: String
}
