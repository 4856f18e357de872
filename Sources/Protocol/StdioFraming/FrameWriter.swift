// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Writes messages the way `FrameReader` reads them.
package enum FrameWriter {
    /// Appends a whole message with what goes around it.
    ///
    /// The message must be JSON. In line framing its line ends, which can only be white space there, become spaces.
    package static func append(_ message: Span<UInt8>, framing: Framing, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + message.count + 32)
        appendHeader(length: message.count, framing: framing, to: &output)
        let start = output.count
        output.append(message)
        if framing == .newline {
            for index in start..<output.count
            where output[index] == UInt8(ascii: "\n") || output[index] == UInt8(ascii: "\r") {
                output[index] = UInt8(ascii: " ")
            }
        }
        appendTerminator(framing: framing, to: &output)
    }

    /// Appends what stands before a message of `length` bytes, for composing it in place.
    package static func appendHeader(length: Int, framing: Framing, to output: inout [UInt8]) {
        guard framing == .contentLength else { return }
        output.append(literal: "Content-Length: ")
        output.append(decimal: length)
        output.append(literal: "\r\n\r\n")
    }

    /// Appends what stands after a message.
    ///
    /// In line framing the message must have no line end in it.
    package static func appendTerminator(framing: Framing, to output: inout [UInt8]) {
        if framing == .newline { output.append(UInt8(ascii: "\n")) }
    }
}
