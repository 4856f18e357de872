// Gatehouse. SPDX-License-Identifier: MIT

import Testing
import URITemplate

@Suite struct MatchingTests {
    private func match(_ template: String, _ uri: String) throws -> [String: String]? {
        try URITemplate(template).match(uri)
    }

    @Test(arguments: [
        ("test://template/{id}/data", "test://template/123/data", ["id": "123"]),
        ("test://static", "test://static", [:]),
        ("file:///{+path}", "file:///a/b%20c.txt", ["path": "a/b c.txt"]),
        ("{name}.json", "a.b.json", ["name": "a.b"]),
        ("{a}-{b}", "x-y-z", ["a": "x-y", "b": "z"]),
        ("{+a}x{b}", "x/x/yxz", ["a": "x/x/y", "b": "z"]),
        ("x{/a,b}", "x/1/2", ["a": "1", "b": "2"]),
        ("x{/a,b}", "x/1", ["a": "1"]),
        ("x{/a,b}", "x", [:]),
        ("x{.a,b}", "x.1.2", ["a": "1", "b": "2"]),
        ("x{;a,b}/y", "x;b=2/y", ["b": "2"]),
        ("x{;a,b}", "x;a;b=2", ["a": "", "b": "2"]),
        ("s{?q,page}", "s?page=2&q=a%26b", ["q": "a&b", "page": "2"]),
        ("s{?q,page}", "s?q=", ["q": ""]),
        ("s{?q,page}", "s", [:]),
        ("s?v=1{&q}", "s?v=1&q=2", ["q": "2"]),
        ("s?v=1&w=2{&q}", "s?v=1&w=2", [:]),
        ("s{?q}{&r}{#part}", "s?r=1&q=2#top/3", ["q": "2", "r": "1", "part": "top/3"]),
        ("s{#part}", "s#x", ["part": "x"]),
        ("{x}/{x}", "1/1", ["x": "1"]),
        ("käse/{art}", "k%c3%a4se/br%C3%BBl%C3%A9e", ["art": "brûlée"]),
        ("käse/{art}", "käse/brûlée", ["art": "brûlée"]),
    ])
    func `values are found`(_ template: String, _ uri: String, _ expected: [String: String]) throws {
        #expect(try match(template, uri) == expected)
    }

    @Test(arguments: [
        ("test://template/{id}/data", "test://template//data"),
        ("test://template/{id}/data", "test://template/1/2/data"),
        ("test://template/{id}/data", "test://template/1/data/"),
        ("test://template/{id}/data", "TEST://template/1/data"),
        ("s{?q}", "s?r=1"),
        ("s{?q}", "s?q=1&q=2"),
        ("s{?q}", "s?"),
        ("s{?q}", "s&q=1"),
        ("s{?q}{?r}", "s?q=1"),
        ("s{?q}/t", "s?q=1/t"),
        ("{x}/{x}", "1/2"),
        ("{x}", "%FF"),
        ("{x}", "a%2"),
        ("{x}", "a%zz"),
        ("{x:2}", "ab"),
        ("{/x*}", "/a/b"),
    ])
    func `what is not of the template is not matched`(_ template: String, _ uri: String) throws {
        #expect(try match(template, uri) == nil)
    }

    @Test func `only what can be undone is offered for matching`() throws {
        #expect(try URITemplate("a{?x}").canMatch)
        #expect(try !URITemplate("a{?x*}").canMatch)
        #expect(try !URITemplate("a{x:3}").canMatch)
        #expect(try !URITemplate("a{?x}/b").canMatch)
    }

    /// A matcher that tries every division would not come back from this one.
    @Test func `many variables in a row are matched in bounded work`() throws {
        let template = (0..<60).map { "{+v\($0)}x" }.joined() + "!"
        let uri = String(repeating: "x", count: 4000)
        #expect(try match(template, uri) == nil)
        #expect(try match(template, uri + "!")?.count == 60)
    }

    @Test func `a URI that is too long is not matched`() throws {
        #expect(try match("{x}", String(repeating: "a", count: 8192)) != nil)
        #expect(try match("{x}", String(repeating: "a", count: 8193)) == nil)
    }
}
