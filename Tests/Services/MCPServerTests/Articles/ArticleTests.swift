// Gatehouse. SPDX-License-Identifier: MIT

import Foundation
import Testing

/// Whether the code in the articles is code that compiles.
@Suite struct ArticleTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()

    /// Code without what a formatter decides: indentation, and where a line is broken.
    private static func words(_ text: some StringProtocol) -> String {
        String(text.filter { !$0.isWhitespace })
    }

    /// The paragraphs of the Swift code in an article.
    private static func paragraphs(_ article: String) throws -> [String] {
        let url = folder.appending(
            path: "../../../../Sources/Services/MCPServer/MCPServer.docc/\(article).md"
        )
        let parts = try String(contentsOf: url, encoding: .utf8).components(separatedBy: "```")
        return parts.enumerated().filter { $0.offset % 2 == 1 && $0.element.hasPrefix("swift\n") }
            .flatMap { $0.element.dropFirst("swift\n".count).components(separatedBy: "\n\n") }
            .map(words).filter { !$0.isEmpty }
    }

    @Test(arguments: [
        ("FirstServer", "FirstServerArticle", 11), ("Testing", "TestingArticle", 4),
        ("Publishing", "TestingArticle", 1),
    ])
    func `each paragraph of code stands in a file that compiles`(
        _ article: String,
        _ file: String,
        _ count: Int
    ) throws {
        let source = try String(contentsOf: Self.folder.appending(path: "\(file).swift"), encoding: .utf8)
        let known = Self.words(source)
        let paragraphs = try Self.paragraphs(article)
        #expect(paragraphs.count >= count)
        for paragraph in paragraphs { #expect(known.contains(paragraph), "\(article): \(paragraph)") }
    }
}
