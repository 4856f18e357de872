// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import URITemplate

/// Which of several servers a resource belongs to.
///
/// URIs stay as they are. The server that lists one owns it; where several do, the first in the order of the configuration,
/// unless it was another's before and that one still lists it. What nobody lists belongs to a server with a template that
/// matches, else it is asked for at each server in turn.
package struct FederatedResources: Sendable {
    private struct Template: Sendable {
        var member: Int
        var text: [UInt8]
        var template: URITemplate?
    }

    private var owners: [[UInt8]: Int] = [:]
    private var templates: [Template] = []
    private var templateOwners: [[UInt8]: Int] = [:]

    /// Starts without resources.
    package init() {}

    /// Takes the URIs that the servers list now, in the order of the configuration.
    package mutating func update(_ uris: [[[UInt8]]]) {
        owners = Self.owners(of: uris, before: owners)
    }

    /// Takes the templates that the servers list now, in the order of the configuration.
    package mutating func update(templates texts: [[[UInt8]]]) {
        templateOwners = Self.owners(of: texts, before: templateOwners)
        templates = []
        for (member, own) in texts.enumerated() {
            for text in own {
                // What is no template that we can read matches nothing, and is listed all the same.
                let template = try? URITemplate(String(decoding: text, as: UTF8.self))
                templates.append(Template(member: member, text: text, template: template))
            }
        }
    }

    private static func owners(of texts: [[[UInt8]]], before: [[UInt8]: Int]) -> [[UInt8]: Int] {
        var owners: [[UInt8]: Int] = [:]
        for (member, own) in texts.enumerated() {
            for text in own where owners[text] == nil || before[text] == member { owners[text] = member }
        }
        return owners
    }

    /// The server that lists a URI.
    package func owner(of uri: [UInt8]) -> Int? { owners[uri] }

    /// The server that lists a template, by its text.
    package func owner(ofTemplate text: [UInt8]) -> Int? { templateOwners[text] }

    /// The servers that a URI may be of, the likeliest first: the one that lists it alone, else those with a template that
    /// matches, then the others.
    package func candidates(for uri: [UInt8], among members: [Int]) -> [Int] {
        if let owner = owners[uri], members.contains(owner) { return [owner] }
        let text = String(decoding: uri, as: UTF8.self)
        var found: [Int] = []
        for template in templates where members.contains(template.member) && !found.contains(template.member)
        {
            if template.template?.match(text) != nil { found.append(template.member) }
        }
        return found + members.filter { !found.contains($0) }
    }
}
