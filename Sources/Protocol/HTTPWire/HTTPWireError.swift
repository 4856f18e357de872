// Gatehouse. SPDX-License-Identifier: MIT

/// A message that is refused, or that must not be sent.
///
/// After one of these nothing more may be read from the connection: where the next message starts is unknown.
package struct HTTPWireError: Error, Equatable, Sendable {
    /// Why.
    package let kind: Kind

    /// One case for each reason.
    package enum Kind: String, Sendable, CaseIterable {
        // The request line (RFC 9112 §3).
        case malformedRequestLine, methodTooLong, targetTooLong, malformedTarget, malformedVersion
        case unsupportedVersion
        // Lines and fields (RFC 9112 §2.2 and §5).
        case bareCarriageReturn, bareLineFeed, leadingSpace, foldedLine, emptyFieldName, malformedFieldName
        case spaceBeforeColon, controlByteInValue
        // Limits.
        case headTooLarge, fieldTooLarge, tooManyFields
        // Where the body ends (RFC 9112 §6).
        case malformedContentLength, contentLengthTooLarge, repeatedContentLength
        case malformedTransferEncoding, unsupportedTransferCoding, repeatedTransferEncoding
        case transferEncodingInHTTP10, contentLengthWithTransferEncoding, bodyOfConnect
        // Fields that decide about the connection or the resource.
        case missingHost, repeatedHost, malformedHost, hostMismatch, malformedConnection
        case unsupportedExpectation, repeatedExpectation
        // Chunks (RFC 9112 §7.1).
        case malformedChunkSize, chunkTooLarge, malformedChunkExtension, chunkExtensionsTooLarge
        case missingChunkEnd
        // What we were about to send.
        case unsafeResponse, bodyNotAllowed
    }

    /// Wraps the reason.
    package init(_ kind: Kind) {
        self.kind = kind
    }

    /// The status that answers it.
    package var status: Int {
        switch kind {
        case .targetTooLong: 414
        case .unsupportedExpectation: 417
        case .headTooLarge, .fieldTooLarge, .tooManyFields: 431
        case .unsafeResponse, .bodyNotAllowed: 500
        case .methodTooLong, .unsupportedTransferCoding: 501
        case .unsupportedVersion: 505
        default: 400
        }
    }

    /// The reason in words; it holds nothing of what the peer sent.
    package var reason: String {
        switch kind {
        case .malformedRequestLine: "the request line is not method, space, target, space, version"
        case .methodTooLong: "the method is longer than any that is known"
        case .targetTooLong: "the request target is too long"
        case .malformedTarget: "the request target is not a path, an http URL, or * for OPTIONS"
        case .malformedVersion: "the request line does not end in an HTTP version"
        case .unsupportedVersion: "the version is neither HTTP/1.0 nor HTTP/1.1"
        case .bareCarriageReturn: "a carriage return is not followed by a line feed"
        case .bareLineFeed: "a line feed does not follow a carriage return"
        case .leadingSpace: "white space stands before the first field"
        case .foldedLine: "a field is continued on the next line"
        case .emptyFieldName: "a field has no name"
        case .malformedFieldName: "a field name holds a byte that may not stand there"
        case .spaceBeforeColon: "white space stands between a field name and its colon"
        case .controlByteInValue: "a field value holds a control byte"
        case .headTooLarge: "the fields are too large together"
        case .fieldTooLarge: "a field is too large"
        case .tooManyFields: "there are too many fields"
        case .malformedContentLength: "Content-Length is not a plain decimal number"
        case .contentLengthTooLarge: "Content-Length is too large"
        case .repeatedContentLength: "Content-Length is given more than once"
        case .malformedTransferEncoding: "Transfer-Encoding is malformed"
        case .unsupportedTransferCoding: "the only transfer coding that is understood is chunked, once"
        case .repeatedTransferEncoding: "Transfer-Encoding is given more than once"
        case .transferEncodingInHTTP10: "HTTP/1.0 has no Transfer-Encoding"
        case .contentLengthWithTransferEncoding: "both Content-Length and Transfer-Encoding are given"
        case .bodyOfConnect: "CONNECT has no body"
        case .missingHost: "Host is missing"
        case .repeatedHost: "Host is given more than once"
        case .malformedHost: "Host is not a host name or address with an optional port"
        case .hostMismatch: "Host is not the authority of the request target"
        case .malformedConnection: "Connection is not a list of names"
        case .unsupportedExpectation: "the only expectation that is understood is 100-continue"
        case .repeatedExpectation: "Expect is given more than once"
        case .malformedChunkSize: "a chunk size is not 1 to 16 hexadecimal digits"
        case .chunkTooLarge: "a chunk is too large"
        case .malformedChunkExtension: "a chunk extension is malformed"
        case .chunkExtensionsTooLarge: "the chunk extensions are too large together"
        case .missingChunkEnd: "the data of a chunk is not followed by a line end"
        case .unsafeResponse: "a response field or status may not be sent"
        case .bodyNotAllowed: "a response of this status has no body"
        }
    }
}
