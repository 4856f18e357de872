// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPCore

extension ConnectionMachine {
    mutating func listen(_ request: Incoming, _ registry: Registry, _ speaker: Speaker) {
        guard let wanted = request.params["notifications"], wanted.members != nil else {
            return refuse(request.id, .invalidParams("notifications must be an object"))
        }
        var listen = ListenFilter()
        for (name, feature, path) in [
            ("toolsListChanged", Registry.Feature.tools, \ListenFilter.tools),
            ("promptsListChanged", .prompts, \.prompts), ("resourcesListChanged", .resources, \.resources),
        ] {
            guard let value = wanted[name] else { continue }
            guard let flag = value.bool else {
                return refuse(request.id, .invalidParams("\(name) must be true or false"))
            }
            listen[keyPath: path] = flag && registry.has(feature)
        }
        for (name, path, isHonoured) in [
            ("resourceSubscriptions", \ListenFilter.uris, registry.has(.resources)),
            ("taskIds", \.tasks, speaker.knowsTasks && registry.has(.tasks)),
        ] {
            guard let value = wanted[name] else { continue }
            guard let values = value.array, values.allSatisfy({ $0.string != nil }) else {
                return refuse(request.id, .invalidParams("\(name) must be an array of strings"))
            }
            if isHonoured { listen[keyPath: path] = values.compactMap(\.string) }
        }
        listen.tasks.removeAll { tasks[$0] == nil }
        let subscriptions = listens.values.reduce(0) { $0 + $1.uris.count } + listen.uris.count
        guard listens.count < options.limits.listens, subscriptions <= options.limits.subscriptions else {
            return refuse(request.id, .tooMany("subscriptions"))
        }
        listens[request.id] = listen
        notify(.acknowledged, ["notifications": listen.value], on: request.id)
    }

    /// Tells the session and the subscriptions what has changed.
    mutating func tell(_ event: ServerEvent) {
        guard !isClosed else { return }
        tellSession(event)
        for (id, listen) in listens {
            switch event {
            case .toolsChanged where listen.tools: notify(.toolsChanged, .object([]), on: id)
            case .promptsChanged where listen.prompts: notify(.promptsChanged, .object([]), on: id)
            case .resourcesChanged where listen.resources: notify(.resourcesChanged, .object([]), on: id)
            case .resourceUpdated(let uri) where listen.uris.contains(uri):
                notify(.resourceUpdated, ["uri": .string(uri)], on: id)
            default: break
            }
        }
    }

    /// Sends a notification on a subscription.
    mutating func notify(_ method: Method, _ params: JSONValue, on id: RequestID) {
        notify(method, params.settingMeta("\(MetaKey.subscriptionID)", id.value), request: id.text)
    }

    /// Ends the subscriptions from our side.
    mutating func endListens() {
        for id in listens.keys {
            let result = JSONValue.object([]).settingMeta("\(MetaKey.subscriptionID)", id.value)
            respond(id, result, of: .listen, for: .modern)
        }
        listens = [:]
    }
}
