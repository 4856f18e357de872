// Gatehouse. SPDX-License-Identifier: MIT

import Addresses
import CCurl
import Egress
import Glibc

// What a request may reach. Names are looked up once, by libcurl; each address that it is about to connect to is asked about
// in its callback for sockets. A connection that is used again passes that callback by, so the callback before each request
// asks once more.

extension HTTPTransfer {
    /// Where a request leads; nil where that may be anywhere.
    static func destination(
        of request: HTTPRequest,
        _ rules: EgressRules
    ) throws(HTTPClientFailure) -> Destination? {
        if let defect = request.defect { throw defect }
        if rules == .anywhere { return nil }
        do throws(EgressRefusal) {
            let destination = try Destination(request.url)
            if let refusal = rules.refusal(of: destination) { throw refusal }
            return destination
        } catch {
            throw HTTPClientFailure(.forbidden, error.description)
        }
    }

    /// Whether an address may be connected to; why not is kept for the end.
    func mayConnect(to address: IPAddress?) -> Bool {
        guard let destination, let rules = client?.egress else { return true }
        guard let address else {
            avoided = HTTPClientFailure(.forbidden, "the host has an address that is none of IP")
            return false
        }
        guard let refusal = rules.refusal(of: destination, at: address) else { return true }
        avoided = HTTPClientFailure(.forbidden, refusal.description)
        return false
    }

    /// Whether the connection to an address may carry the request, which ends otherwise.
    func maySend(to address: IPAddress?) -> Bool {
        guard !mayConnect(to: address) else { return true }
        refusal = avoided
        return false
    }

    func guardConnections(
        _ easy: UnsafeMutableRawPointer,
        _ context: UnsafeMutableRawPointer,
        _ set: (CURLcode) -> Void
    ) {
        set(gatehouse_curl_set_pointer(easy, CURLOPT_OPENSOCKETDATA, context))
        set(
            gatehouse_curl_set_open_socket(easy) { context, _, socket in
                guard let socket, transfer(context)?.mayConnect(to: address(of: socket)) == true else {
                    return CURL_SOCKET_BAD
                }
                let kind = socket.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
                return Glibc.socket(socket.pointee.family, kind, socket.pointee.protocol)
            }
        )
        set(gatehouse_curl_set_pointer(easy, CURLOPT_PREREQDATA, context))
        set(
            gatehouse_curl_set_before_request(easy) { context, address, _, _, _ in
                let address = address.flatMap { IPAddress(String(cString: $0)) }
                return transfer(context)?.maySend(to: address) == true
                    ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            }
        )
    }
}

private func address(of socket: UnsafeMutablePointer<curl_sockaddr>) -> IPAddress? {
    var bytes = [UInt8](repeating: 0, count: 16)
    let count = bytes.withUnsafeMutableBufferPointer { buffer in
        buffer.baseAddress.map { gatehouse_curl_address(socket, $0) } ?? 0
    }
    return IPAddress(bytes: Array(bytes.prefix(count)))
}
