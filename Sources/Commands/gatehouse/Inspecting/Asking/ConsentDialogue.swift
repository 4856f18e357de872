// Gatehouse. SPDX-License-Identifier: MIT

import JSON
import JSONRPC
import MCPClient

/// Asks whether the user goes to a URL; it is shown whole and never opened from here (2025-11-25, elicitation, "URL Mode").
struct ConsentDialogue: Dialogue {
    private let request: ServerRequest
    private let style: Style

    init(_ request: ServerRequest, _ style: Style) {
        self.request = request
        self.style = style
    }

    var opening: [String] {
        let url = request.params["url"]?.string ?? ""
        var lines = [
            Dialogues.heading("The server wants you to visit a URL:", request, style),
            style.wrapped(request.params["message"]?.string ?? "", indent: 2),
            "  " + style.cyan(Style.safe(url)),
        ]
        if !Self.isWeb(url) { lines.append(style.yellow("  This is no http or https URL.")) }
        lines.append(style.dim("Open it yourself if you trust it; nothing is opened from here."))
        return lines
    }

    var prompt: String { "Do you agree? (y, n to refuse, c to break off): " }
    var answerAtEnd: Result<JSONValue, Failure> { .success(["action": "cancel"]) }

    mutating func take(_ line: String) -> DialogueStep {
        switch line.lowercased() {
        case "y", "yes": .done(.success(["action": "accept"]))
        case "n", "no", "/decline": .done(.success(["action": "decline"]))
        case "c", "/cancel": .done(.success(["action": "cancel"]))
        default: .more([style.yellow("answer y, n or c")])
        }
    }

    private static func isWeb(_ url: String) -> Bool {
        let scheme = url.prefix { $0 != ":" }.lowercased()
        return scheme == "https" || scheme == "http"
    }
}
