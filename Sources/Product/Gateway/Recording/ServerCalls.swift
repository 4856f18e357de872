// Gatehouse. SPDX-License-Identifier: MIT

import Bytes
import JSON
import MCPCore

/// The calls of one server: finds the series of a call without making anything after the first of its kind.
final class ServerCalls {
    private let server: String
    private let families: CallFamilies
    private var tools = ToolNames()
    /// Calls of tools, by era and by the tool's number; the last one is that of all others.
    private var toolSeries: [[CallSeries?]]
    private var methodSeries: [Key: CallSeries] = [:]

    private struct Key: Hashable {
        let method: Method
        let era: Era
    }

    init(_ server: String, _ families: CallFamilies) {
        self.server = server
        self.families = families
        toolSeries = [[], []]
    }

    func series(_ message: Message, _ bytes: Span<UInt8>, _ era: Era) -> CallSeries {
        guard message.method == .toolsCall else {
            let key = Key(method: message.method, era: era)
            if let known = methodSeries[key] { return known }
            let made = CallSeries(server, message.method, era, tool: "", families)
            methodSeries[key] = made
            return made
        }
        let tool = tools.find(message.params.name, in: bytes)
        let list = era == .modern ? 1 : 0
        while toolSeries[list].count <= tool { toolSeries[list].append(nil) }
        if let known = toolSeries[list][tool] { return known }
        let made = CallSeries(server, .toolsCall, era, tool: tools.name(tool), families)
        toolSeries[list][tool] = made
        return made
    }

    /// Takes note of the tools that the server has listed.
    func learn(_ list: Span<UInt8>) {
        tools.learn(list)
    }
}

/// The names of tools that a server has listed, up to a limit: any other name is a client's invention and has no number.
struct ToolNames {
    /// How many names are known apart.
    static let limit = 200
    /// The most bytes of a name that is known apart.
    static let nameLimit = 128

    private var names: [[UInt8]] = []
    private var numbers: [UInt64: Int] = [:]

    /// The number of a name, from 1; 0 for all that are not known.
    func find(_ name: JSONString, in bytes: Span<UInt8>) -> Int {
        guard name.isPresent, name.slice.count <= Self.nameLimit * 6 else { return 0 }
        if name.hasEscapes {
            guard let text = bytes.string(name) else { return 0 }
            return find(text.span)
        }
        return find(bytes.extracting(name.slice.range))
    }

    private func find(_ name: Span<UInt8>) -> Int {
        guard let number = numbers[Self.hash(name)] else { return 0 }
        let known = names[number - 1]
        guard known.count == name.count else { return 0 }
        for index in known.indices where known[index] != name[index] { return 0 }
        return number
    }

    /// The name of a number, for a label.
    func name(_ number: Int) -> String {
        number == 0 ? "other" : String(decoding: names[number - 1], as: UTF8.self)
    }

    /// Takes note of names; `list` is the array of tools that a server answered with.
    mutating func learn(_ list: Span<UInt8>) {
        var reader = JSONReader(list)
        do {
            var elements = try reader.array()
            while try reader.next(&elements), names.count < Self.limit {
                guard try reader.peek() == .object else {
                    try reader.skipValue()
                    continue
                }
                var members = try reader.object()
                while let name = try reader.next(&members) {
                    let isName = try reader.equals(name, "name") && reader.peek() == .string
                    guard isName else {
                        try reader.skipValue()
                        continue
                    }
                    insert(reader.string(try reader.readString()) ?? [])
                }
            }
        } catch {
            // The list was validated as part of its message; what was found before stays.
        }
    }

    private mutating func insert(_ name: [UInt8]) {
        guard !name.isEmpty, name.count <= Self.nameLimit, names.count < Self.limit else { return }
        let hash = Self.hash(name.span)
        guard numbers[hash] == nil else { return }
        names.append(name)
        numbers[hash] = names.count
    }

    /// FNV-1a: names of different tools that meet in it are told apart by their bytes, and the second counts as unknown.
    private static func hash(_ name: Span<UInt8>) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<name.count {
            hash = (hash ^ UInt64(name[index])) &* 0x100_0000_01B3
        }
        return hash
    }
}
