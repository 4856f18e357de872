// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import MCPServer

// Resources and families of them.

extension EverythingServer {
    static func addResources(to server: MCPServer, _ world: World) {
        let text = ResourceDescription(
            uri: "test://static-text",
            name: "static-text",
            title: "Static text",
            description: "A text that stays as it is.",
            mimeType: "text/plain",
            size: 48,
            annotations: ContentAnnotations(audience: ["user", "assistant"], priority: 0.8)
        )
        server.addResource(text) { _ in
            [
                ResourceContents(
                    uri: "test://static-text",
                    mimeType: "text/plain",
                    text: "This is the content of the static text resource."
                )
            ]
        }
        let binary = ResourceDescription(
            uri: "test://static-binary",
            name: "static-binary",
            description: "A picture that stays as it is.",
            mimeType: "image/png"
        )
        server.addResource(binary) { _ in
            [ResourceContents(uri: "test://static-binary", mimeType: "image/png", blob: picture)]
        }
        let watched = ResourceDescription(
            uri: "test://watched-resource",
            name: "watched-resource",
            description: "Changes when it is touched.",
            mimeType: "text/plain"
        )
        server.addResource(watched) { _ in
            let touched = world.counted("test://watched-resource")
            return [
                ResourceContents(
                    uri: "test://watched-resource",
                    mimeType: "text/plain",
                    text: "Touched \(touched) times."
                )
            ]
        }
        addAskingResource(to: server)
        addTemplates(to: server)
    }

    /// A resource that needs an answer before it can be read.
    private static func addAskingResource(to server: MCPServer) {
        let uri = "test://asking-resource"
        let description = ResourceDescription(
            uri: uri,
            name: "asking-resource",
            description: "Asks who reads it.",
            mimeType: "text/plain"
        )
        server.addResource(description) { context in
            let answer = try await context.elicit("Who reads this?", as: NameForm.self, key: "user_name")
            let name = answer.accepted?.name ?? "nobody"
            return [ResourceContents(uri: uri, mimeType: "text/plain", text: "Written for \(name).")]
        }
    }

    private static func addTemplates(to server: MCPServer) {
        let numbered = ResourceTemplate(
            "test://template/{id}/data",
            name: "template",
            title: "Data by number",
            description: "Some data for each id.",
            mimeType: "application/json"
        )
        let searched = ResourceTemplate(
            "test://search/{+folder}{?query,limit}",
            name: "search",
            description: "What is found in a folder.",
            mimeType: "text/plain"
        )
        do {
            try server.addTemplate(
                numbered,
                completers: ["id": { $0.matching(["123", "124", "200", "alpha", "beta"]) }]
            ) { uri, variables, _ in
                let id = variables["id"] ?? ""
                let data: JSONValue = [
                    "id": .string(id), "templateTest": true, "data": .string("Data for ID: \(id)"),
                ]
                let text = String(decoding: data.text(), as: UTF8.self)
                return [ResourceContents(uri: uri, mimeType: "application/json", text: text)]
            }
            try server.addTemplate(searched) { uri, variables, _ in
                guard let query = variables["query"] else { throw MCPError.resourceNotFound(uri) }
                let text = "\(query) in \(variables["folder"] ?? "") up to \(variables["limit"] ?? "all")"
                return [ResourceContents(uri: uri, mimeType: "text/plain", text: text)]
            }
        } catch {
            preconditionFailure("a template of the everything server: \(error)")
        }
    }
}
