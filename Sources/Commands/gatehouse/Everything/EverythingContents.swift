// Gatehouse. SPDX-License-Identifier: MIT

import FoundationEssentials
import JSON
import MCPServer

// Tools that answer content of each kind.

extension EverythingServer {
    static func addContentTools(to server: MCPServer) {
        server.add(SimpleText.self)
        server.add(Image.self)
        server.add(Audio.self)
        server.add(EmbeddedResource.self)
        server.add(ResourceLink.self)
        server.add(MixedContent.self)
        server.add(AnnotatedContent.self)
        server.add(StructuredContent.self)
        server.add(StructuredList.self)
        server.add(FailingTool.self)
        server.add(RefusingTool.self)
    }

    private struct SimpleText: Tool {
        static let name = "test_simple_text"
        static let summary = "Answers a text."

        func call(_ context: ToolContext<Void>) -> String { "This is a simple text response for testing." }
    }

    private struct Image: Tool {
        static let name = "test_image_content"
        static let summary = "Answers an image."

        func call(_ context: ToolContext<Void>) -> Content { .image(base64: picture, mimeType: "image/png") }
    }

    private struct Audio: Tool {
        static let name = "test_audio_content"
        static let summary = "Answers a sound."

        func call(_ context: ToolContext<Void>) -> Content { .audio(base64: sound, mimeType: "audio/wav") }
    }

    private struct EmbeddedResource: Tool {
        static let name = "test_embedded_resource"
        static let summary = "Answers a resource."

        func call(_ context: ToolContext<Void>) -> Content {
            .resource(
                ResourceContents(
                    uri: "test://embedded-resource",
                    mimeType: "text/plain",
                    text: "This is an embedded resource content."
                )
            )
        }
    }

    private struct ResourceLink: Tool {
        static let name = "test_resource_link"
        static let summary = "Answers a link to a resource."

        func call(_ context: ToolContext<Void>) -> Content {
            .resourceLink(
                ResourceDescription(uri: "test://static-text", name: "static-text", mimeType: "text/plain")
            )
        }
    }

    private struct MixedContent: Tool {
        static let name = "test_multiple_content_types"
        static let summary = "Answers a text, an image and a resource."

        func call(_ context: ToolContext<Void>) -> [Content] {
            let resource = ResourceContents(
                uri: "test://mixed-content-resource",
                mimeType: "application/json",
                text: #"{"test":"data","value":123}"#
            )
            return [
                .text("Multiple content types test:"), .image(base64: picture, mimeType: "image/png"),
                .resource(resource),
            ]
        }
    }

    private struct AnnotatedContent: Tool {
        static let name = "test_annotated_content"
        static let summary = "Answers a text that says for whom it is."

        func call(_ context: ToolContext<Void>) -> Content {
            .text(
                "For the person.",
                annotations: ContentAnnotations(
                    audience: ["user"],
                    priority: 0.5,
                    lastModified: "2026-07-28T12:00:00Z"
                )
            )
        }
    }

    /// The weather somewhere.
    private struct Weather: Codable {
        var city: String
        var celsius: Double
        var sunny: Bool
        var warnings: [String]
        var measured: Date
    }

    private struct StructuredContent: Tool {
        static let name = "test_structured_content"
        static let title = "The weather"
        static let summary = "Answers an object, and says what it has."
        static let annotations = ToolAnnotations(readOnly: true, openWorld: false)
        static let icons = [
            Icon(source: "data:image/png;base64,\(picture)", mimeType: "image/png", sizes: ["1x1"])
        ]
        @Parameter("The city.", default: "Rome", minLength: 1) var city: String

        func call(_ context: ToolContext<Void>) -> Weather {
            Weather(
                city: city,
                celsius: 21.5,
                sunny: true,
                warnings: ["pollen"],
                measured: Date(timeIntervalSince1970: 1_785_240_000)
            )
        }
    }

    private struct StructuredList: Tool {
        static let name = "test_structured_list"
        static let summary = "Answers an array, which older revisions have no place for."
        @Parameter("How many numbers.", default: 3, minimum: 0, maximum: 100) var count: Int

        func call(_ context: ToolContext<Void>) -> [Int] { Array(1..<1 + count) }
    }

    private struct FailingTool: Tool {
        static let name = "test_error_handling"
        static let summary = "Fails as tools fail: the model is told."

        func call(_ context: ToolContext<Void>) -> ToolResult {
            ToolResult([.text("This tool intentionally returns an error for testing")], isError: true)
        }
    }

    private struct RefusingTool: Tool {
        static let name = "test_protocol_error"
        static let summary = "Fails as the protocol fails: the program is told."
        @Parameter("The code of the error.", default: -1000) var code: Int

        func call(_ context: ToolContext<Void>) throws -> String {
            throw MCPError(code: code, message: "Refused on purpose", data: ["why": "a test"])
        }
    }
}
