// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import MCPServer
import Testing

// The code of MCPServer.docc/FirstServer.md; ArticleTests compares them.

struct Billing: Sendable {
    func pay(
        _ invoice: Int,
        _ amount: Decimal,
        by method: FirstServer.PaymentMethod
    ) async throws -> FirstServer.Receipt {
        FirstServer.Receipt(number: invoice, amount: amount, method: method)
    }
}

enum FirstServer {
    struct Add: Tool {
        static let name = "add"
        static let summary = "Adds two numbers."
        @Parameter("The first.") var a: Int
        @Parameter("The second.") var b: Int
        func call(_ context: ToolContext<Void>) -> Int { a + b }
    }

    static func run() async {
        let server = MCPServer(name: "calculator", version: "1.0.0")
        server.add(Add.self)
        await server.serveStdio()
    }

    enum PaymentMethod: String, Codable, CaseIterable {
        case creditCard, cash, transfer
    }

    struct Receipt: Codable {
        var number: Int
        var amount: Decimal
        var method: PaymentMethod
    }

    struct PayInvoice: Tool {
        static let name = "pay_invoice"
        static let summary = "Record a payment against an invoice."
        static let annotations = ToolAnnotations(readOnly: false, idempotent: true)
        @Parameter("The invoice to pay.") var invoiceID: Int
        @Parameter("Amount in dollars.", minimum: 0.01) var amount: Decimal
        @Parameter("How it was paid.", default: .creditCard) var method: PaymentMethod

        func call(_ context: ToolContext<Billing>) async throws -> Receipt {
            try await context.dependencies.pay(invoiceID, amount, by: method)
        }
    }

    struct Confirmation: Parameters {
        @Parameter("Whether to delete it for good.", default: false) var forGood: Bool
    }

    struct Delete: Tool {
        static let name = "delete"
        static let summary = "Deletes a file."
        static let annotations = ToolAnnotations(destructive: true)
        @Parameter("The file.") var path: String

        func call(_ context: ToolContext<Void>) async throws -> String {
            context.reportProgress(1, of: 2, message: "asking")
            switch try await context.elicit("Delete \(path)?", as: Confirmation.self) {
            case .accept(let form): return form.forGood ? "Deleted." : "Moved to the bin."
            case .decline, .cancel: return "Kept."
            }
        }
    }

    static func add(to server: MCPServer) throws {
        server.add(PayInvoice.self, using: Billing())

        server.addResource(ResourceDescription(uri: "notes://today", name: "today", mimeType: "text/plain")) {
            _ in
            [ResourceContents(uri: "notes://today", mimeType: "text/plain", text: "Buy milk.")]
        }

        try server.addTemplate(ResourceTemplate("notes://{day}", name: "day")) { uri, variables, _ in
            guard let day = variables["day"], day != "never" else { throw MCPError.resourceNotFound(uri) }
            return [ResourceContents(uri: uri, text: "Nothing on \(day).")]
        }

        server.addPrompt(
            PromptDescription(name: "plan", arguments: [PromptArgument("day", isRequired: true)]),
            completers: ["day": { $0.matching(["Monday", "Tuesday"]) }]
        ) { arguments, _ in
            PromptResult([.user("Plan my \(arguments["day"] ?? "day").")])
        }
    }
}

@Suite struct FirstServerArticle {
    @Test func `the article's tools do what it says`() async throws {
        let server = MCPServer(name: "all", version: "1.0.0")
        try FirstServer.add(to: server)
        let paid = try await server.call("pay_invoice", ["invoiceID": 7, "amount": 12])
        #expect(paid.structuredContent == ["number": 7, "amount": 12, "method": "creditCard"])
        let refused = try await server.call("pay_invoice", ["invoiceID": 7, "amount": 0])
        #expect(refused.content == [.text("Invalid arguments: amount must be at least 0.01")])
    }
}
