// Gatehouse. SPDX-License-Identifier: MIT

/// How messages are told apart on a pipe.
package enum Framing: Sendable {
    /// A message per line (MCP, "stdio" transport): it ends with LF and has none inside.
    case newline
    /// Header lines with `Content-Length`, an empty line, the message (as in the Language Server Protocol).
    case contentLength
}

/// What a reader found.
package enum FrameEvent: Equatable, Sendable {
    /// A message, without the white space around it.
    ///
    /// It begins like a JSON object or array; that is all that is known.
    case message(Range<Int>)
    /// A line or body that cannot be a message, such as something that a program prints while it starts.
    case skip(Range<Int>)
    /// Nothing whole is left.
    case needMore
    /// The other side sends something larger than the limit.
    ///
    /// The reader stays in this state.
    case tooLong
}
