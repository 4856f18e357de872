// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

extension ConnectionMachine {
    /// Takes a request of the modern era, unless the rules of the era refuse it.
    mutating func receiveModern(_ request: Incoming, _ registry: Registry, _ refusal: Failure?) {
        if let refusal { return refuse(request.id, refusal) }
        let meta = request.params["_meta"] ?? .object([])
        let speaker = Speaker(
            revision: .modern,
            info: meta["\(MetaKey.clientInfo)"],
            capabilities: meta["\(MetaKey.clientCapabilities)"] ?? .object([])
        )
        var logLevel: LogLevel?
        if let level = meta["\(MetaKey.logLevel)"] {
            logLevel = level.string.flatMap(LogLevel.init(rawValue:))
            guard logLevel != nil else {
                return refuse(
                    request.id,
                    .invalidParams("\(MetaKey.logLevel) must be one of the eight of RFC 5424")
                )
            }
        }
        switch request.method {
        case .discover: respond(request.id, discovery(registry), of: .discover, for: .modern)
        case .listen: listen(request, registry, speaker)
        case .tasksGet, .tasksUpdate, .tasksCancel: receiveTaskRequest(request, registry, speaker)
        default:
            if request.method.mayNeedInput {
                if let responses = request.params["inputResponses"], responses.members == nil {
                    return refuse(request.id, .invalidParams("inputResponses must be an object"))
                }
                if request.params["requestState"] != nil {
                    return retry(request, speaker, logLevel: logLevel)
                }
            }
            carryOut(request, registry, speaker, logLevel: logLevel)
        }
    }

    /// What the server says about itself.
    func discovery(_ registry: Registry) -> JSONValue {
        JSONValue.of([
            "supportedVersions": .array(ModernRules.supported.map { .string($0.rawValue) }),
            "capabilities": registry.capabilities, "instructions": instructions.map { .string($0) },
        ]).settingMeta("\(MetaKey.serverInfo)", info)
    }
}
