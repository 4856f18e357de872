// Gatehouse. SPDX-License-Identifier: MIT

import Testing
import URITemplate

@Suite struct TemplateTests {
    @Test(arguments: [
        ("abc{x", 3), ("abc}x", 3), ("a b", 1), ("{x,,y}", 3), ("{}", 1), ("{x:0}", 3), ("{x:12345}", 7),
        ("50%", 2), ("{!x}", 1), ("{x y}", 2), ("{x.}", 3), ("{?x{y}", 3),
    ])
    func `an error says where it is`(_ text: String, _ position: Int) {
        let error = #expect(throws: URITemplateError.self) { try URITemplate(text) }
        #expect(error?.position == position, "\(error?.description ?? "")")
    }

    @Test func `its variables are named once, in order`() throws {
        #expect(try URITemplate("{b}/{a}{?b,c.d}").variables == ["b", "a", "c.d"])
    }

    @Test func `templates and results have a limit`() throws {
        #expect(throws: URITemplateError.self) { try URITemplate(String(repeating: "a", count: 4097)) }
        let template = try URITemplate("{x}{x}")
        #expect(try template.expand(["x": "12345"], limit: 10) == "1234512345")
        #expect(throws: URITemplateError.self) { try template.expand(["x": "12345"], limit: 9) }
        #expect(throws: URITemplateError.self) {
            try template.expand(["x": .list(Array(repeating: "a", count: 100))], limit: 9)
        }
    }
}
