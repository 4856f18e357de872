// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

/// What a legacy client and we have agreed on.
struct LegacySession {
    var revision: Revision
    var info: JSONValue?
    var capabilities: JSONValue
    /// What was declared: no list of anything else is said to have changed.
    var features: Set<Registry.Feature>
    /// Whether the client has said that it is ready: nothing is pushed before.
    var isInitialized = false
    /// From which level on it gets log messages; it has not said until it calls `logging/setLevel`.
    var logLevel = LogLevel.info
    /// The resources that it subscribed to.
    var subscriptions: Set<String> = []

    var speaker: Speaker { Speaker(revision: revision, info: info, capabilities: capabilities) }
}

extension ConnectionMachine {
    mutating func receiveLegacy(_ request: Incoming, _ registry: Registry) {
        if request.method == .initialize { return initialize(request, registry) }
        guard let session else {
            if request.method == .ping, options.eras != .modern {
                return respond(request.id, .object([]), of: .ping, for: .latestLegacy)
            }
            let words =
                switch options.eras {
                case .dual: "_meta must have \(MetaKey.protocolVersion), or initialize must come first"
                case .legacy: "initialize must come first"
                case .modern: "_meta must have \(MetaKey.protocolVersion), a string"
                }
            return refuse(request.id, .invalidParams(words))
        }
        switch request.method {
        case .ping: respond(request.id, .object([]), of: .ping, for: session.revision)
        case .setLevel: setLevel(request)
        case .subscribe: subscribe(request, registry)
        case .unsubscribe:
            guard let uri = request.params["uri"]?.string else {
                return refuse(request.id, .invalidParams("uri must be a string"))
            }
            self.session?.subscriptions.remove(uri)
            respond(request.id, .object([]), of: .unsubscribe, for: session.revision)
        default:
            carryOut(request, registry, session.speaker, logLevel: nil)
        }
    }

    private mutating func initialize(_ request: Incoming, _ registry: Registry) {
        guard let asked = request.params["protocolVersion"]?.string else {
            return refuse(request.id, .invalidParams("protocolVersion must be a string"))
        }
        guard options.eras != .modern else {
            var failure = ModernRules.unsupported(asked, supported: ModernRules.supported)
            failure.message += "; this server speaks \(Revision.modern.rawValue)"
            return refuse(request.id, failure)
        }
        guard session == nil else {
            return refuse(request.id, Failure(.invalidRequest, "Already initialized", source: .client))
        }
        let capabilities = request.params["capabilities"] ?? .object([])
        guard capabilities.members != nil else {
            return refuse(request.id, .invalidParams("capabilities must be an object"))
        }
        let known = Revision(rawValue: asked)
        let revision = known.flatMap { $0.era == .legacy ? $0 : nil } ?? .latestLegacy
        session = LegacySession(
            revision: revision,
            info: request.params["clientInfo"],
            capabilities: capabilities,
            features: registry.features
        )
        let result = Translation.initializeResult(fromDiscover: discovery(registry), revision: revision)
        respond(request.id, result, of: .initialize, for: revision)
    }

    private mutating func setLevel(_ request: Incoming) {
        guard let level = request.params["level"]?.string.flatMap(LogLevel.init(rawValue:)) else {
            return refuse(request.id, .invalidParams("level must be one of the eight of RFC 5424"))
        }
        session?.logLevel = level
        respond(request.id, .object([]), of: .setLevel, for: .latestLegacy)
    }

    private mutating func subscribe(_ request: Incoming, _ registry: Registry) {
        guard registry.has(.resources) else {
            return refuse(
                request.id,
                Failure(.methodNotFound, "This server has no resources", source: .client)
            )
        }
        guard let uri = request.params["uri"]?.string else {
            return refuse(request.id, .invalidParams("uri must be a string"))
        }
        guard session?.subscriptions.count ?? 0 < options.limits.subscriptions else {
            return refuse(request.id, .tooMany("subscriptions"))
        }
        session?.subscriptions.insert(uri)
        respond(request.id, .object([]), of: .subscribe, for: .latestLegacy)
    }

    /// Tells the session what has changed.
    mutating func tellSession(_ event: ServerEvent) {
        guard let session, session.isInitialized else { return }
        switch event {
        case .toolsChanged where session.features.contains(.tools):
            notify(.toolsChanged, .object([]), request: nil)
        case .promptsChanged where session.features.contains(.prompts):
            notify(.promptsChanged, .object([]), request: nil)
        case .resourcesChanged where session.features.contains(.resources):
            notify(.resourcesChanged, .object([]), request: nil)
        case .resourceUpdated(let uri) where session.subscriptions.contains(uri):
            notify(.resourceUpdated, ["uri": .string(uri)], request: nil)
        default:
            break
        }
    }
}

extension Registry {
    /// What the server can do.
    var capabilities: JSONValue {
        .of([
            "tools": has(.tools) ? ["listChanged": true] : nil,
            "resources": has(.resources) ? ["subscribe": true, "listChanged": true] : nil,
            "prompts": has(.prompts) ? ["listChanged": true] : nil,
            "completions": has(.completions) ? .object([]) : nil,
            "logging": .object([]),
            "extensions": has(.tasks) ? .of([TaskRecord.identifier: .object([])]) : nil,
        ])
    }
}

extension Failure {
    /// A limit is reached.
    static func tooMany(_ what: String) -> Failure {
        Failure(.internalError, "Too many \(what)", source: .client)
    }
}
