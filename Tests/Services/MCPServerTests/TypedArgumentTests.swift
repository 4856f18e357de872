// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import JSON
import Testing

@testable import MCPServer

enum PaymentMethod: String, Codable, CaseIterable {
    case creditCard, cash, barter
}

enum Priority: Int, Codable, CaseIterable, TitledChoice {
    case low = 1
    case high = 9
    var title: String { self == .low ? "Whenever" : "At once" }
}

struct Line: Codable, Equatable {
    var article: String
    var count: Int
    var note: String?
}

struct Address: Parameters, Encodable {
    @Parameter("The street.") var street: String
    @Parameter("The country.", default: "DE", minLength: 2, maxLength: 2) var country: String
}

struct Receipt: Codable {
    var number: Int
    var total: Decimal
    var method: PaymentMethod
    var lines: [Line]
    var paidAt: Date
    var note: String?
}

struct PayInvoice: Tool {
    static let name = "pay_invoice"
    static let title = "Pay an invoice"
    static let summary = "Record a payment against an invoice."
    static let annotations = ToolAnnotations(readOnly: false, idempotent: true)
    @Parameter("The invoice to pay.") var invoiceID: Int
    @Parameter("Amount in dollars.", minimum: 0.01, maximum: 1000) var amount: Decimal
    @Parameter("How it was paid.", default: .creditCard) var method: PaymentMethod
    @Parameter("How urgent it is.") var priority: Priority?
    @Parameter("What was bought.", default: [], maxItems: 3) var lines: [Line]
    @Parameter("Where it goes.") var address: Address?
    @Parameter("When it was paid.", name: "paid_at") var paidAt: Date?
    @Parameter("Where.", pattern: "^[a-z]+$", header: "Region") var region: String?
    @Parameter("Whom to tell.", format: .email) var email: String?

    func call(_ context: ToolContext<Int>) async throws -> Receipt {
        Receipt(
            number: invoiceID + context.dependencies,
            total: amount,
            method: method,
            lines: lines,
            paidAt: paidAt ?? Date(timeIntervalSince1970: 0),
            note: address.map { "\($0.street), \($0.country)" }
        )
    }
}

struct TakesAll: Tool {
    static let name = "all"
    static let summary = "One field of each type."
    @Parameter("") var bool: Bool
    @Parameter("") var int8: Int8
    @Parameter("") var uint: UInt
    @Parameter("") var double: Double
    @Parameter("") var float: Float
    @Parameter("") var url: URL
    @Parameter("") var uuid: UUID
    @Parameter("") var data: Data
    @Parameter("") var any: JSONValue
    @Parameter("") var table: [String: [Int]]
    @Parameter("") var tags: Set<String>

    func call(_ context: ToolContext<Void>) async throws -> JSONValue {
        [
            "bool": .bool(bool), "int8": .number("\(int8)"), "uint": .number("\(uint)"),
            "double": .number("\(double)"), "float": .number("\(float)"), "url": .string(url.absoluteString),
            "uuid": .string(uuid.uuidString), "data": .number("\(data.count)"), "any": any,
            "table": .number("\(table["a"]?.count ?? -1)"), "tags": .number("\(tags.count)"),
        ]
    }
}

@Suite struct TypedArgumentTests {
    private let pay = Bench(PayInvoice.self, using: 1000)

    @Test func `a call becomes a value of the tool, with its dependencies`() async throws {
        let result = try await pay.call(
            try json(
                #"""
                {"invoiceID":7,"amount":12.30,"method":"cash","lines":[{"article":"tea","count":2}],
                 "address":{"street":"Main 1"},"paid_at":"2026-07-28T12:00:00+02:00","region":"eu","priority":9}
                """#
            )
        )
        #expect(!result.isError)
        #expect(
            text(result.structuredContent)
                == #"{"number":1007,"total":12.3,"method":"cash","lines":[{"article":"tea","count":2}],"#
                + #""paidAt":"2026-07-28T10:00:00Z","note":"Main 1, DE"}"#
        )
        #expect(result.content == [.text(text(result.structuredContent))])
    }

    @Test func `fields with a default or an optional type may be missing or null`() async throws {
        let result = try await pay.call(["invoiceID": 1, "amount": 1, "method": .null, "address": .null])
        #expect(result.structuredContent?["method"] == "creditCard")
        #expect(result.structuredContent?["note"] == nil)
    }

    @Test func `everything that is wrong is told at once, by name`() async throws {
        let complaints = try await pay.complaints(
            try json(
                #"""
                {"amount":0,"method":"gold","lines":[{"article":"tea","count":"two"}],"priority":2,
                 "address":{"country":"Germany","zip":"1"},"paid_at":"yesterday","email":"nobody","colour":"red"}
                """#
            )
        )
        #expect(
            complaints == [
                "invoiceID is missing", "amount must be at least 0.01",
                #"method must be one of "creditCard", "cash", "barter""#, "priority must be one of 1, 9",
                "lines[0].count must be an integer, not a string", "address.street is missing",
                "address.country must have at most 2 characters", "address.zip is not known",
                "paid_at must be a moment such as 2026-07-28T12:00:00Z", "email must be of the form email",
                "colour is not known",
            ]
        )
    }

    @Test(arguments: [
        (#"{"invoiceID":1.5,"amount":1}"#, "invoiceID must be an integer"),
        (#"{"invoiceID":1e300,"amount":1}"#, "invoiceID must be an integer from -9223372036854775808 to"),
        (#"{"invoiceID":"1","amount":1}"#, "invoiceID must be an integer, not a string"),
        (#"{"invoiceID":null,"amount":1}"#, "invoiceID must not be null"),
        (#"{"invoiceID":1,"amount":1000.01}"#, "amount must be at most 1000"),
        (#"{"invoiceID":1,"amount":1,"lines":{}}"#, "lines must be an array, not an object"),
        (#"{"invoiceID":1,"amount":1,"lines":[{"article":"a"}]}"#, "lines[0].count is missing"),
        (#"{"invoiceID":1,"amount":1,"lines":[{"article":"a","count":1,"x":1}]}"#, "lines[0].x is not known"),
        (#"{"invoiceID":1,"amount":1,"address":[]}"#, "address must be an object, not an array"),
        (#"[]"#, "the arguments must be an object, not an array"),
    ])
    func `what does not fit is refused`(_ arguments: String, _ complaint: String) async throws {
        let complaints = try await pay.complaints(try json(arguments))
        #expect(complaints.count == 1)
        #expect(complaints.first?.hasPrefix(complaint) == true, "\(complaints)")
    }

    @Test func `too many lines are too many`() async throws {
        let line: JSONValue = ["article": "a", "count": 1]
        let complaints = try await pay.complaints([
            "invoiceID": 1, "amount": 1, "lines": .array(Array(repeating: line, count: 4)),
        ])
        #expect(complaints == ["lines must have at most 3 elements"])
    }

    @Test func `a flood of unknown fields gets a short answer`() async throws {
        let members = (0..<1000).map { JSONValue.Member("\(String(repeating: "x", count: 1000))\($0)", 1) }
        let result = try await pay.call(.object(members))
        guard case .text(let text, _)? = result.content.first else {
            Issue.record("no text")
            return
        }
        #expect(result.isError)
        #expect(text.utf8.count < 5000)
    }

    @Test func `each type that JSON can carry is read`() async throws {
        let result = try await Bench(TakesAll.self).call(
            try json(
                #"""
                {"bool":true,"int8":-128,"uint":5.0,"double":1e3,"float":0.5,"url":"https://a.example/b","any":[null],
                 "uuid":"6BA7B810-9DAD-11D1-80B4-00C04FD430C8","data":"AAEC","table":{"a":[1,2]},"tags":["x","y","x"]}
                """#
            )
        )
        #expect(
            text(result.structuredContent)
                == #"{"bool":true,"int8":-128,"uint":5,"double":1000.0,"float":0.5,"url":"https://a.example/b","#
                + #""uuid":"6BA7B810-9DAD-11D1-80B4-00C04FD430C8","data":3,"any":[null],"table":2,"tags":2}"#
        )
    }

    @Test(arguments: [
        (#"{"int8":128}"#, "int8 must be an integer"), (#"{"uint":-1}"#, "uint must be an integer"),
        (#"{"double":1e999}"#, "double is out of range"), (#"{"url":"nowhere"}"#, "url must be a URI"),
        (#"{"uuid":"1"}"#, "uuid must be a UUID"), (#"{"data":"%"}"#, "data must be base64"),
        (#"{"table":{"a":["x"]}}"#, "table.a[0] must be an integer, not a string"),
        (#"{"bool":0}"#, "bool must be true or false, not a number"),
    ])
    func `values that a type cannot hold are refused`(_ arguments: String, _ complaint: String) async throws {
        let complaints = try await Bench(TakesAll.self).complaints(try json(arguments))
        #expect(complaints.contains { $0.hasPrefix(complaint) }, "\(complaints)")
    }

    @Test(arguments: [
        ("2026-07-28T12:00:00Z", 1_785_240_000.0), ("1970-01-01T00:00:00Z", 0),
        ("2000-02-29T00:00:00z", 951_782_400),
        ("1969-12-31T23:59:59.5Z", -0.5), ("2026-07-28t12:00:00-02:30", 1_785_249_000),
        ("0000-03-01T00:00:00Z", -62_162_035_200), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
    func `moments are read`(_ moment: String, _ seconds: Double) throws {
        #expect(Timestamp.date(moment)?.timeIntervalSince1970 == seconds)
    }

    @Test(arguments: [
        "2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-07-28T24:00:00Z", "2026-07-28T12:00:00",
        "2026-07-28T12:00:00.Z", "2026-07-28", "2026-07-28T12:00:00+25:00", "26-07-28T12:00:00Z",
        "2026-07-28T12:00:00Zx", "",
    ])
    func `what is no moment is not read`(_ moment: String) {
        #expect(Timestamp.date(moment) == nil)
    }
}
