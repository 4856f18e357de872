// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Bytes
import Configuration
import Diagnostics
import EventLoop
import Gateway
import HTTPWire
import JSONRPC
import MCPCore
import Sessions

/// Brings back sessions that another run of the gateway opened, when their clients come back.
///
/// It starts with what `LastingSessions` knows. A session is brought back once, however many of its client's requests come
/// meanwhile: they wait, up to the limit of calls in flight.
final class Restorer {
    private unowned let context: FrontendContext
    private let lasting: LastingSessions
    private var running: [[UInt8]: Restoration] = [:]

    init(_ context: FrontendContext, _ lasting: LastingSessions) {
        self.context = context
        self.lasting = lasting
    }

    /// The session that a request names, if it sleeps and is this principal's.
    func find(_ head: HTTPRequestHead, _ passage: Passage) -> SleepingSession? {
        guard passage.session == nil, let backend = passage.backend,
            let id = head.value(.mcpSessionID).flatMap(SessionID.init),
            let record = lasting.find(id, owner: passage.principal, server: backend.name)
        else { return nil }
        return SleepingSession(id: id, record: record, backend: backend, owner: passage.principal)
    }

    /// Brings a session back.
    ///
    /// - Parameters:
    ///   - sleeping: The session.
    ///   - hasRoom: Throws if no session may be opened now.
    ///   - body: Is told that the session is there, or what to answer.
    /// - Throws: What to answer at once.
    func restore(
        _ sleeping: SleepingSession,
        hasRoom: () throws(Refusal) -> Void,
        _ body: @escaping (Result<Session, Refusal>) -> Void
    ) throws(Refusal) {
        let key = sleeping.record.key
        if let known = running[key] {
            guard known.waiting.count < context.limits.inFlight else {
                throw Refusal(429, .invalidRequest, "Too many requests wait for this session")
            }
            known.waiting.append(body)
            return
        }
        guard !context.isDraining else { throw .busy("The gateway is stopping") }
        try hasRoom()
        let restoration = Restoration(context, lasting, sleeping) { [weak self] in self?.running[key] = nil }
        running[key] = restoration
        restoration.waiting.append(body)
        restoration.begin()
    }

    /// Forgets a session that its client deletes without using it; calls back when that is written.
    func delete(_ sleeping: SleepingSession, _ completion: @escaping () -> Void) {
        // One that is being brought back just now finds that it is not wanted any more.
        running[sleeping.record.key]?.abandon()
        lasting.forget(sleeping.record, completion)
    }
}

/// A session of another run that a request names.
struct SleepingSession {
    let id: SessionID
    let record: SessionRecord
    let backend: any Backend
    let owner: Principal
}
