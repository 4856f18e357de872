// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
package import JSON
package import JSONRPC

/// Which arguments of a tool are mirrored in `Mcp-Param-…` headers: the `x-mcp-header` annotations of its input schema
/// (2026-07-28, tools, "x-mcp-header").
package struct HeaderParameters: Sendable, Equatable {
    /// A mirrored argument.
    package struct Parameter: Sendable, Equatable {
        /// The header's name after `Mcp-Param-`, in lower case.
        package var header: [UInt8]
        /// The names of the properties that lead to it from the root.
        package var path: [String]
    }

    /// The mirrored arguments.
    package private(set) var parameters: [Parameter] = []

    /// Reads the annotations of an input schema.
    ///
    /// - Returns: Nil if one breaks the rules: an empty or repeated name, no token, a type that cannot be mirrored,
    ///   or a place that `properties` alone do not lead to. Such a tool must not be offered.
    package init?(inputSchema: JSONValue) {
        guard collect(inputSchema, path: [], reachable: true) else { return nil }
    }

    private mutating func collect(_ schema: JSONValue, path: [String], reachable: Bool) -> Bool {
        switch schema {
        case .array(let values):
            return values.allSatisfy { collect($0, path: path, reachable: false) }
        case .object(let members):
            if let annotation = schema["x-mcp-header"] {
                guard reachable, !path.isEmpty, let name = annotation.string, !name.isEmpty,
                    name.utf8.allSatisfy(ASCII.isToken), let type = schema["type"]?.string,
                    ["string", "integer", "boolean"].contains(type)
                else { return false }
                let header = name.utf8.map(ASCII.lowercased)
                guard !parameters.contains(where: { $0.header == header }) else { return false }
                parameters.append(Parameter(header: header, path: path))
            }
            for member in members {
                if member.name.utf8.equals("properties"), let properties = member.value.members {
                    for property in properties {
                        let inner = path + [property.name]
                        guard collect(property.value, path: inner, reachable: reachable) else { return false }
                    }
                } else if !["const", "enum", "default", "examples"].contains(member.name) {
                    guard collect(member.value, path: path, reachable: false) else { return false }
                }
            }
            return true
        default:
            return true
        }
    }

    /// Compares the headers of a call with its arguments.
    ///
    /// - Parameters:
    ///   - arguments: The call's arguments.
    ///   - value: Finds all values of the header `Mcp-Param-` with this name, in lower case.
    /// - Returns: A failure with -32020, or nil.
    package func check(_ arguments: JSONValue?, value: ([UInt8]) -> [ArraySlice<UInt8>]) -> Failure? {
        for parameter in parameters {
            let name = String(decoding: parameter.header, as: UTF8.self)
            let values = value(parameter.header)
            let argument = parameter.path.reduce(arguments) { $0?[$1] }
            guard let argument, argument != .null else {
                if values.isEmpty { continue }
                return Self.mismatch("The header Mcp-Param-\(name) has no argument to match")
            }
            guard values.count == 1, let written = values.first else {
                return Self.mismatch(
                    "The header Mcp-Param-\(name) must stand once, since its argument is given"
                )
            }
            guard let decoded = RoutingHeaders.decode(written) else {
                return Self.mismatch("The header Mcp-Param-\(name) is malformed")
            }
            guard Self.matches(Array(decoded), argument) else {
                return Self.mismatch("The header Mcp-Param-\(name) does not match its argument")
            }
        }
        return nil
    }

    private static func matches(_ header: [UInt8], _ argument: JSONValue) -> Bool {
        switch argument {
        case .string(let text): return header.span.equals(text.utf8.span)
        case .bool(let value): return header.equals(value ? "true" : "false")
        case .number(let text):
            // Numbers are equal by value: 42.0 is 42.
            guard header.allSatisfy({ ASCII.isDigit($0) || "+-.eE".utf8.contains($0) }),
                let left = Double(String(decoding: header, as: UTF8.self)), let right = Double(text)
            else {
                return false
            }
            return left.isFinite && left == right
        default: return false
        }
    }

    private static func mismatch(_ text: String) -> Failure {
        Failure(.headerMismatch, text, source: .client)
    }
}
