// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
import MCPCore

extension MCPClient {
    /// How many pages of a list are read; a server that has more has a fault, or bad intent.
    package static let pageLimit = 1000

    /// Reads a list whole, page by page.
    ///
    /// - Parameters:
    ///   - method: `tools/list`, `resources/list`, `resources/templates/list` or `prompts/list`.
    ///   - completion: Is told the first page's result with the elements of all pages in it, and without a cursor.
    package func list(_ method: String, completion: @escaping (Result<JSONValue, MCPClientError>) -> Void) {
        nextPage(of: PagedList(method, completion), cursor: nil)
    }

    private func nextPage(of list: PagedList, cursor: JSONValue?) {
        request(list.method, cursor.map { ["cursor": $0] } ?? .null) { [weak self] outcome in
            switch outcome {
            case .failure(let error): list.completion(.failure(error))
            case .success(let result):
                list.take(result)
                guard let cursor = result["nextCursor"], cursor.string != nil else {
                    return list.completion(.success(list.whole))
                }
                guard cursor != list.cursor, list.pages < Self.pageLimit, let self else {
                    return list.completion(.failure(.malformed("the list \(list.method) does not end")))
                }
                list.cursor = cursor
                self.nextPage(of: list, cursor: cursor)
            }
        }
    }
}

/// A list that is being read.
private final class PagedList {
    let method: String
    let completion: (Result<JSONValue, MCPClientError>) -> Void
    var cursor: JSONValue?
    private(set) var pages = 0
    private var first: JSONValue = .null
    private var elements: [JSONValue] = []

    init(_ method: String, _ completion: @escaping (Result<JSONValue, MCPClientError>) -> Void) {
        self.method = method
        self.completion = completion
    }

    /// The member of a result that holds the elements.
    private var member: String {
        switch Method(method.utf8) {
        case .resourcesList: "resources"
        case .resourcesTemplatesList: "resourceTemplates"
        case .promptsList: "prompts"
        default: "tools"
        }
    }

    func take(_ result: JSONValue) {
        if pages == 0 { first = result }
        pages += 1
        elements += result[member]?.array ?? []
    }

    var whole: JSONValue {
        let rest = (first.members ?? []).filter {
            !$0.name.utf8.equals(member) && !$0.name.utf8.equals("nextCursor")
        }
        return .object([.init(member, .array(elements))] + rest)
    }
}
