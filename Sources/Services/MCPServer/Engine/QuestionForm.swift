// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// How a question is put to a client, and what counts as its answer.
enum QuestionForm {
    /// The parameters of a question, as the client's revision has them.
    ///
    /// - Parameters:
    ///   - request: The question.
    ///   - speaker: The client, and what it declared.
    ///   - id: Makes an id for a page to open, which has one in 2025-11-25.
    /// - Returns: The parameters.
    /// - Throws: Why this client cannot be asked.
    static func params(
        of request: InputRequest,
        for speaker: Speaker,
        id: () -> String
    ) throws(AskError) -> JSONValue {
        let entry: JSONValue = ["method": .string(request.method), "params": request.params]
        guard speaker.revision.era == .legacy else {
            let method = method(of: request)
            guard isQuestion(method), request.params.members != nil else {
                throw .malformed("\(request.method) is no question, or has no object of parameters")
            }
            let required = Translation.requiredCapabilities(for: method, params: request.params)
            guard Translation.isDeclared(required, in: speaker.capabilities) else {
                throw .missingCapability(required)
            }
            return request.params
        }
        let question = Translation.question(
            fromInputRequest: entry,
            elicitationID: request.params["mode"] == "url" ? id() : "",
            capabilities: speaker.capabilities,
            revision: speaker.revision
        )
        switch question {
        case .success(let question): return question.params
        case .failure(let failure):
            guard let required = failure.data?["requiredCapabilities"] else {
                throw .malformed(failure.message)
            }
            throw .missingCapability(required)
        }
    }

    /// An answer to a question, without what is about the client's hop; nil if it is none.
    static func answer(_ value: JSONValue, to request: InputRequest) -> JSONValue? {
        Translation.answer(fromInputResponse: value, method: method(of: request))
    }

    private static func method(of request: InputRequest) -> Method {
        Method(Array(request.method.utf8))
    }

    private static func isQuestion(_ method: Method) -> Bool {
        method == .elicit || method == .createMessage || method == .rootsList
    }
}
