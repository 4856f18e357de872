// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import Egress
import EventLoop
import HTTPClient

/// Why a gateway could not be asked.
struct StatusFailure: Error {
    let description: String
}

/// One GET whose answer is waited for, on a loop of its own.
final class StatusQuestion: HTTPResponseDelegate {
    private let loop: EventLoop
    private var client: HTTPClient?
    private var status = 0
    private var body: [UInt8] = []
    private var failure: StatusFailure?

    /// The most bytes of an answer that are read.
    private static let limit = 16 << 20

    private init(_ loop: EventLoop) {
        self.loop = loop
    }

    /// Asks; returns when the answer is there.
    static func ask(_ url: String) throws(StatusFailure) -> [UInt8] {
        let loop: EventLoop
        do throws(IOFailure) {
            loop = try EventLoop(name: "status")
        } catch {
            throw StatusFailure(description: "\(error)")
        }
        let question = StatusQuestion(loop)
        let bound = LoopBound(question, loop)
        loop.post { bound.value.start(url) }
        loop.run()
        if let failure = question.failure { throw failure }
        return question.body
    }

    private func start(_ url: String) {
        var request = HTTPRequest(method: "GET", url: url, fields: [HTTPField("Accept", "application/json")])
        request.connectTimeout = 5_000
        request.totalTimeout = 10_000
        do throws(HTTPClientFailure) {
            let client = try HTTPClient(loop, egress: .anywhere)
            self.client = client
            try client.start(request, delegate: self)
        } catch {
            end(error.description)
        }
    }

    private func end(_ reason: String?) {
        if let reason { failure = failure ?? StatusFailure(description: reason) }
        client?.close()
        loop.stop()
    }

    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer) {
        status = response.status
    }

    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer) {
        guard body.count + bytes.count <= Self.limit else {
            transfer.cancel()
            return end("the answer is too large")
        }
        body.append(bytes)
    }

    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer) {
        if let failure { return end("no gateway answers: \(failure.description)") }
        switch status {
        case 200: end(nil)
        case 404: end("the gateway does not say what it is at: \"metrics\" is turned off")
        default: end("the gateway answered with status \(status)")
        }
    }
}
