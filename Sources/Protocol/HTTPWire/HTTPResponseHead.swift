// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Writes the heads of responses and the frames of chunked bodies (RFC 9112 §4 and §7.1).
///
/// What is written cannot be read as more than one response: the fields are safe (`HTTPResponseFields`), and those that
/// frame the message are written here and nowhere else. When a call fails, nothing was written.
package enum HTTPResponseHead {
    /// How the body of a response is framed.
    package enum Body: Sendable, Equatable {
        /// So many bytes follow.
        case length(Int)
        /// Chunks follow. Not for HTTP/1.0.
        case chunked
        /// All that comes until the connection closes. For HTTP/1.0 (RFC 9112 §6.3).
        case untilClose
        /// No body follows, and none is announced: 1xx, 204 and 304.
        case none
    }

    /// Appends the head of a response.
    ///
    /// With `close`, it says that the connection will be closed.
    package static func write(
        status: Int,
        fields: HTTPResponseFields,
        body: Body,
        close: Bool,
        to output: inout [UInt8]
    ) throws(HTTPWireError) {
        try check(status: status, body: body)
        guard fields.areSafe else { throw HTTPWireError(.unsafeResponse) }
        appendStatusLine(status, to: &output)
        output.append(fields.text.span)
        switch body {
        case .length(let length):
            output.append(literal: "Content-Length: ")
            output.append(decimal: length)
            output.append(literal: "\r\n")
        case .chunked: output.append(literal: "Transfer-Encoding: chunked\r\n")
        case .untilClose, .none: break
        }
        if close { output.append(literal: "Connection: close\r\n") }
        output.append(literal: "\r\n")
    }

    private static func appendStatusLine(_ status: Int, to output: inout [UInt8]) {
        // Nearly all of them are this one, and to put it together took longer than to check the whole head.
        guard status != 200 else { return output.append(literal: "HTTP/1.1 200 OK\r\n") }
        output.append(literal: "HTTP/1.1 ")
        output.append(decimal: status)
        output.append(HTTPBytes.space)
        output.append(literal: reason(status))
        output.append(literal: "\r\n")
    }

    /// Appends the interim response that asks for the body (RFC 9110 §15.2.1).
    package static func writeContinue(to output: inout [UInt8]) {
        output.append(literal: "HTTP/1.1 100 Continue\r\n\r\n")
    }

    /// Appends data as one chunk.
    ///
    /// Empty data appends nothing: an empty chunk would end the body.
    package static func append(chunk data: Span<UInt8>, to output: inout [UInt8]) {
        guard data.count > 0 else { return }
        var shift = data.count.bitWidth - data.count.leadingZeroBitCount
        shift -= (shift - 1) % 4 + 1
        while shift >= 0 {
            output.append(digit((data.count >> shift) & 15))
            shift -= 4
        }
        output.append(literal: "\r\n")
        output.append(data)
        output.append(literal: "\r\n")
    }

    /// Appends the chunk that ends the body, without trailers.
    package static func appendLastChunk(to output: inout [UInt8]) {
        output.append(literal: "0\r\n\r\n")
    }

    private static func digit(_ value: Int) -> UInt8 {
        let value = UInt8(truncatingIfNeeded: value)
        return value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + (value - 10)
    }

    private static func check(status: Int, body: Body) throws(HTTPWireError) {
        guard 100...599 ~= status else { throw HTTPWireError(.unsafeResponse) }
        if case .length(let length) = body, length < 0 { throw HTTPWireError(.unsafeResponse) }
        let isBodiless = status < 200 || status == 204 || status == 304
        guard !isBodiless || body == .none else { throw HTTPWireError(.bodyNotAllowed) }
    }

    /// The reason phrase of a status; of the class where the status has none here.
    static func reason(_ status: Int) -> StaticString {
        switch status {
        case 100: "Continue"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 100..<200: "Information"
        case 200..<300: "Success"
        case 300..<400: "Redirection"
        case 400..<500: "Client Error"
        default: "Server Error"
        }
    }
}
