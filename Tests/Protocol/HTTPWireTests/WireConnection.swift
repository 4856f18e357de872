// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import HTTPWire

/// What a connection brought, as far as it was understood.
struct Transcript: Equatable {
    struct Message: Equatable {
        var method: HTTPMethod
        var name: [UInt8]
        var target: [UInt8]
        var path: [UInt8]
        var query: [UInt8]?
        var authority: [UInt8]?
        var minor: UInt8
        var fields: [[UInt8]]
        var framing: HTTPBodyFraming
        var keepsAlive: Bool
        var expectsContinue: Bool
        var body: [UInt8] = []
        /// The bytes of the head and the body as they were sent.
        var wire: [UInt8] = []
        var isComplete = false
    }

    enum Ending: Equatable {
        /// Every byte belongs to a complete message.
        case complete
        /// More bytes are awaited.
        case incomplete
        /// Bytes follow a message that closes the connection.
        case unread
        case refused(HTTPWireError.Kind)
    }

    var messages: [Message] = []
    var ending = Ending.complete

    var refusal: HTTPWireError.Kind? {
        if case .refused(let kind) = ending { kind } else { nil }
    }
}

/// Reads requests from one connection, however their bytes are cut.
struct WireConnection {
    private(set) var transcript = Transcript()
    private var parser: HTTPRequestHeadParser
    private let limits: HTTPLimits
    private var buffer: [UInt8] = []
    private var body = Body.none

    private enum Body {
        case none
        case length(Int)
        case chunked(HTTPChunkedDecoder)
    }

    init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
        parser = HTTPRequestHeadParser(limits: limits)
    }

    /// Reads bytes cut into pieces of the given sizes; the last piece takes the rest.
    static func read(_ bytes: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) -> Transcript {
        var connection = WireConnection(limits: limits)
        var rest = bytes[...]
        for cut in cuts {
            connection.feed(rest.prefix(cut))
            rest = rest.dropFirst(cut)
        }
        connection.feed(rest)
        return connection.transcript
    }

    mutating func feed(_ bytes: ArraySlice<UInt8>) {
        if case .refused = transcript.ending { return }
        buffer.append(contentsOf: bytes)
        do {
            while try step() {}
        } catch let error as HTTPWireError {
            transcript.ending = .refused(error.kind)
            // How much of a refused message was taken before the error depends on the cuts.
            if let index = transcript.messages.indices.last, !transcript.messages[index].isComplete {
                transcript.messages[index].wire = []
            }
            return
        } catch {
            preconditionFailure("another error: \(error)")
        }
        if let last = transcript.messages.last, last.isComplete, !last.keepsAlive {
            transcript.ending = buffer.isEmpty ? .complete : .unread
        } else {
            let isWhole = buffer.isEmpty && transcript.messages.last?.isComplete != false
            transcript.ending = isWhole ? .complete : .incomplete
        }
    }

    /// Takes one step; false when there is nothing more to do with what is here.
    private mutating func step() throws -> Bool {
        guard !buffer.isEmpty else { return false }
        guard let index = transcript.messages.indices.last, !transcript.messages[index].isComplete else {
            if transcript.messages.last?.keepsAlive == false { return false }
            return try readHead()
        }
        switch body {
        case .none: return false
        case .length(let length):
            let count = min(length, buffer.count)
            transcript.messages[index].body += buffer.prefix(count)
            take(count)
            body = .length(length - count)
            transcript.messages[index].isComplete = length == count
            return true
        case .chunked(var decoder):
            var position = 0
            var event = HTTPChunkedDecoder.Event.needMore
            repeat {
                event = try decoder.next(buffer.span, from: &position)
                if case .data(let range) = event { transcript.messages[index].body += buffer[range] }
                if case .end = event { transcript.messages[index].isComplete = true }
            } while event != .needMore && event != .end
            take(position)
            body = .chunked(decoder)
            return event == .end
        }
    }

    private mutating func readHead() throws -> Bool {
        let gathered = buffer
        guard let length = try parser.parse(gathered.span) else { return false }
        let head = parser.takeHead()
        var fields: [[UInt8]] = []
        head.forEachField { fields.append(Array($0 + [UInt8(ascii: ":")] + $1)) }
        transcript.messages.append(
            Transcript.Message(
                method: head.method,
                name: Array(head.methodName),
                target: Array(head.target),
                path: Array(head.path),
                query: head.query.map { Array($0) },
                authority: head.authority.map { Array($0) },
                minor: head.version.minor,
                fields: fields,
                framing: head.bodyFraming,
                keepsAlive: head.keepsAlive,
                expectsContinue: head.expectsContinue
            )
        )
        take(length)
        switch head.bodyFraming {
        case .none, .length(0): transcript.messages[transcript.messages.count - 1].isComplete = true
        case .length(let length): body = .length(length)
        case .chunked: body = .chunked(HTTPChunkedDecoder(limits: limits))
        }
        return true
    }

    private mutating func take(_ count: Int) {
        transcript.messages[transcript.messages.count - 1].wire += buffer.prefix(count)
        buffer.removeFirst(count)
    }
}
