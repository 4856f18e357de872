// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import CCurl
import Egress
import EventLoop

/// Who is told about a response; all calls are made on the loop.
package protocol HTTPResponseDelegate: AnyObject {
    /// The final head has come; interim ones (1xx) are not told.
    func responseBegan(_ response: HTTPResponse, of transfer: HTTPTransfer)

    /// A part of the body has come.
    ///
    /// The bytes are borrowed: copy what is to be kept. `pause` holds the next part back.
    func responseReceived(_ bytes: Span<UInt8>, of transfer: HTTPTransfer)

    /// It is over: whole if there is no failure.
    ///
    /// Once, and the last call; not after `cancel`.
    func responseEnded(_ failure: HTTPClientFailure?, of transfer: HTTPTransfer)
}

/// A request on its way and its response.
///
/// It starts by `HTTPClient.start` and lives, with its delegate, until it has ended or was cancelled.
package final class HTTPTransfer {
    private(set) var easy: UnsafeMutableRawPointer?
    private var delegate: (any HTTPResponseDelegate)?
    weak var client: HTTPClient?
    /// Where it leads; nil where that may be anywhere.
    let destination: Destination?
    private var fields: UnsafeMutablePointer<curl_slist>?
    private let message: UnsafeMutablePointer<CChar>
    private var head = ResponseHeadReader()
    /// Why it was given up from our side.
    var refusal: HTTPClientFailure?
    /// The last address that was not connected to, and why; another one may do.
    var avoided: HTTPClientFailure?

    init(
        _ request: HTTPRequest,
        _ delegate: any HTTPResponseDelegate,
        _ client: HTTPClient
    ) throws(HTTPClientFailure) {
        self.delegate = delegate
        self.client = client
        destination = try Self.destination(of: request, client.egress)
        // From here on `deinit` frees it, whatever else is refused.
        message = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
        message.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        guard let easy = curl_easy_init() else { throw HTTPClientFailure(.broken, "there is no memory") }
        self.easy = easy
        try configure(easy, request)
    }

    deinit {
        if let easy { curl_easy_cleanup(easy) }
        curl_slist_free_all(fields)
        message.deallocate()
    }

    /// Gives it up; the delegate is told nothing more.
    package func cancel() {
        guard delegate != nil else { return }
        delegate = nil
        client?.afterCallbacks { [weak self] in
            guard let self else { return }
            self.client?.remove(self)
        }
    }

    /// Lets go of the delegate without a word.
    func detach() { delegate = nil }

    func finish(_ code: CURLcode) {
        guard let delegate = delegate.take() else { return }
        if let refusal { return delegate.responseEnded(refusal, of: self) }
        guard code != CURLE_OK else { return delegate.responseEnded(nil, of: self) }
        if code == CURLE_COULDNT_CONNECT, let avoided { return delegate.responseEnded(avoided, of: self) }
        let detail = String(cString: message)
        let text = detail.isEmpty ? String(cString: curl_easy_strerror(code)) : detail
        delegate.responseEnded(HTTPClientFailure(Self.kind(of: code), text), of: self)
    }

    private static func kind(of code: CURLcode) -> HTTPClientFailure.Kind {
        switch code {
        case CURLE_URL_MALFORMAT: .badRequest
        case CURLE_OPERATION_TIMEDOUT: .timedOut
        case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_CONNECT, CURLE_SSL_CONNECT_ERROR,
            CURLE_PEER_FAILED_VERIFICATION:
            .unreachable
        default: .broken
        }
    }

    // MARK: What libcurl brings

    func receivedHead(_ line: Span<UInt8>) -> Int {
        guard delegate != nil else { return 0 }
        guard head.append(line) else {
            refusal = HTTPClientFailure(.broken, "the head of the response is too large")
            return 0
        }
        if let response = head.takeWhole() { delegate?.responseBegan(response, of: self) }
        return line.count
    }

    func received(_ bytes: Span<UInt8>) -> Int {
        guard let delegate else { return 0 }
        delegate.responseReceived(bytes, of: self)
        return bytes.count
    }
}

// MARK: - What libcurl is told

extension HTTPTransfer {
    private func configure(_ easy: UnsafeMutableRawPointer, _ request: HTTPRequest) throws(HTTPClientFailure)
    {
        var result = CURLE_OK
        func set(_ code: CURLcode) { if result == CURLE_OK { result = code } }
        func set(_ option: CURLoption, _ value: Int) { set(gatehouse_curl_set_long(easy, option, value)) }
        func set(_ option: CURLoption, _ value: String) { set(gatehouse_curl_set_text(easy, option, value)) }
        func set(_ option: CURLoption, _ value: UnsafeMutableRawPointer?) {
            set(gatehouse_curl_set_pointer(easy, option, value))
        }
        set(CURLOPT_NOSIGNAL, 1)
        // An empty text keeps the environment's proxies out.
        set(CURLOPT_PROXY, "")
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        // A peer that vanished is noticed on a stream that says nothing for hours, too.
        set(CURLOPT_TCP_KEEPALIVE, 1)
        set(CURLOPT_ERRORBUFFER, message)
        set(CURLOPT_URL, request.url)
        if let authorities = HTTPClient.authorities { set(CURLOPT_CAINFO, authorities) }
        set(CURLOPT_CONNECTTIMEOUT_MS, max(1, request.connectTimeout))
        if let timeout = request.totalTimeout { set(CURLOPT_TIMEOUT_MS, max(1, timeout)) }

        let context = Unmanaged.passUnretained(self).toOpaque()
        set(CURLOPT_PRIVATE, context)
        guardConnections(easy, context, set)
        set(CURLOPT_HEADERDATA, context)
        set(CURLOPT_WRITEDATA, context)
        set(
            gatehouse_curl_set_sink(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
                transfer(context)?.receivedHead(buffer(bytes, size &* count).span) ?? 0
            }
        )
        set(
            gatehouse_curl_set_sink(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
                transfer(context)?.received(buffer(bytes, size &* count).span) ?? 0
            }
        )
        setMethod(easy, request, set)
        for line in Self.lines(of: request) {
            guard let list = curl_slist_append(fields, line) else { break }
            fields = list
        }
        set(CURLOPT_HTTPHEADER, UnsafeMutableRawPointer(fields))
        guard result == CURLE_OK else {
            throw HTTPClientFailure(.badRequest, String(cString: curl_easy_strerror(result)))
        }
    }

    private func setMethod(
        _ easy: UnsafeMutableRawPointer,
        _ request: HTTPRequest,
        _ set: (CURLcode) -> Void
    ) {
        switch request.method {
        case "HEAD": set(gatehouse_curl_set_long(easy, CURLOPT_NOBODY, 1))
        case "GET" where request.body == nil: set(gatehouse_curl_set_long(easy, CURLOPT_HTTPGET, 1))
        default: set(gatehouse_curl_set_text(easy, CURLOPT_CUSTOMREQUEST, request.method))
        }
        guard let body = request.body else { return }
        set(gatehouse_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(body.count)))
        body.withUnsafeBytes { bytes in
            // libcurl reads from the pointer before it returns, and never writes; empty arrays may have none.
            let start = UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            if let start {
                set(gatehouse_curl_set_pointer(easy, CURLOPT_COPYPOSTFIELDS, start))
            } else {
                set(gatehouse_curl_set_text(easy, CURLOPT_COPYPOSTFIELDS, ""))
            }
        }
    }

    /// The fields as libcurl wants them: a semicolon ends the name of an empty one, a colon alone takes out its own.
    private static func lines(of request: HTTPRequest) -> [String] {
        var lines = request.fields.map { $0.value.isEmpty ? "\($0.name);" : "\($0.name): \($0.value)" }
        lines.append("Expect:")
        for name in ["Accept", "Content-Type"]
        where !request.fields.contains(where: { $0.name.utf8.equalsIgnoringCase(name.lowercased()) }) {
            lines.append("\(name):")
        }
        return lines
    }
}

func transfer(_ context: UnsafeMutableRawPointer?) -> HTTPTransfer? {
    context.map { Unmanaged<HTTPTransfer>.fromOpaque($0).takeUnretainedValue() }
}

/// What libcurl hands over, for the length of a callback.
private func buffer(_ bytes: UnsafeMutablePointer<CChar>?, _ count: Int) -> UnsafeBufferPointer<UInt8> {
    UnsafeBufferPointer(
        start: UnsafeRawPointer(bytes)?.assumingMemoryBound(to: UInt8.self),
        count: bytes == nil ? 0 : count
    )
}
