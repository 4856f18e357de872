// Gatehouse. SPDX-License-Identifier: MIT

/// What a transport tells, on the loop, and never from within a call to the transport.
package protocol ClientTransportDelegate: AnyObject {
    /// A message has come whole. The bytes are borrowed.
    ///
    /// - Parameters:
    ///   - message: The message.
    ///   - request: The request on whose stream it came; nil where the transport has one stream for all.
    func transportReceived(_ message: Span<UInt8>, of request: Int?)
    /// No answer to a request will come; it may have been answered already.
    func transportFailed(_ id: Int, _ error: MCPClientError)
    /// Nothing more will come at all.
    func transportEnded(_ error: MCPClientError)
    /// The server has said its first word, on whichever channel.
    func transportShowsLife()
    /// The server wrote something that is for people.
    func transportDiagnosed(_ bytes: Span<UInt8>)
    /// Whether a request still waits for its answer; this may be asked at any time.
    func transportAwaits(_ id: Int) -> Bool
    /// The server has forgotten the session, which was seen without a request of ours.
    func transportLostSession()
}

/// The way to a server and back, which knows of the messages only what its binding needs.
package protocol ClientTransport: AnyObject {
    /// Who is told; not kept alive.
    var delegate: (any ClientTransportDelegate)? { get set }
    /// Whether requests of the modern era mirror parts of their body in headers.
    var mirrorsHeaders: Bool { get }
    /// Bytes of messages that the server has not answered with so much as a head.
    var pendingBytes: Int { get }
    /// Whether the server knows a session of ours, which it may forget.
    var hasSession: Bool { get }
    /// Begins. What is sent meanwhile is kept in order.
    func open()
    /// Sends a message.
    func send(_ message: OutgoingMessage)
    /// Nobody waits for the answer to this request any more.
    func abandon(_ id: Int)
    /// Lets the server tell what belongs to no request, where that needs a stream of its own.
    func listen(_ fields: [OutgoingMessage.HTTPHeader])
    /// Gives up the session that the server does not know any more; false if there was none.
    func forgetSession() -> Bool
    /// Ends in order, and calls back once it has ended; the delegate is told nothing more.
    func close(_ fields: [OutgoingMessage.HTTPHeader], completion: @escaping () -> Void)
}

extension ClientTransport {
    package var pendingBytes: Int { 0 }
    package var hasSession: Bool { false }
    package func listen(_ fields: [OutgoingMessage.HTTPHeader]) {}
    package func forgetSession() -> Bool { false }
}
