// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// The names under which the tools, or the prompts, of several servers stand in one list.
///
/// A name that one server alone has stays as it is. One that several have is written `{server}{separator}{name}` for each of
/// them. What a client may not be shown (more than 64 bytes, or others than letters, digits, `_`, `.`, `-`) is mapped and
/// carries a hash of the original. The same sets give the same names in whatever order they came to be known.
///
/// A name that was given keeps its meaning for as long as what it means exists: when a server that comes late has the same
/// name, the list shows both with a prefix, and the name alone still means what it meant.
package struct FederatedNames: Sendable {
    /// Where something stands: a server, and what it calls it.
    package struct Origin: Hashable, Sendable {
        /// The server's place in the configuration.
        package var member: Int
        /// The server's own name for it.
        package var name: [UInt8]

        /// Names something of a server.
        package init(_ member: Int, _ name: [UInt8]) {
            self.member = member
            self.name = name
        }
    }

    /// The longest name, in bytes.
    package static let longest = 64
    /// How many names are remembered that are in no list any more.
    private static let memory = 65_536

    /// What stands before the name of each server's things where they need it.
    private let prefixes: [[UInt8]]
    private var shown: [Origin: [UInt8]] = [:]
    private var given: [[UInt8]: Origin] = [:]

    /// Starts without names.
    ///
    /// - Parameters:
    ///   - servers: The servers' names, in the order of the configuration.
    ///   - separator: What stands between a server's name and its thing's.
    package init(servers: [String], separator: String) {
        prefixes = servers.map { Array($0.utf8) + Array(separator.utf8) }
    }

    /// Takes what the servers have now, in the order of the configuration.
    package mutating func update(_ names: [[[UInt8]]]) {
        var origins: [Origin] = []
        var holders: [[UInt8]: Int] = [:]
        for (member, own) in names.enumerated() {
            var seen: Set<[UInt8]> = []
            for name in own where seen.insert(name).inserted {
                origins.append(Origin(member, name))
                holders[name, default: 0] += 1
            }
        }
        let existing = Set(origins)
        given = given.filter { existing.contains($0.value) }
        shown = [:]
        var taken: Set<[UInt8]> = []
        var rest: [Origin] = []
        for origin in origins {
            let isFree = given[origin.name].map { $0 == origin } ?? true
            if holders[origin.name] == 1, isFree, Self.isFit(origin.name) {
                shown[origin] = origin.name
                taken.insert(origin.name)
            } else {
                rest.append(origin)
            }
        }
        // In an order that does not depend on how the servers sort their lists.
        rest.sort { left, right in
            left.member != right.member
                ? left.member < right.member : left.name.lexicographicallyPrecedes(right.name)
        }
        for origin in rest {
            let isAlone = holders[origin.name] == 1 && !Self.isFit(origin.name)
            let name = free(origin, isAlone ? origin.name : prefixes[origin.member] + origin.name, taken)
            shown[origin] = name
            taken.insert(name)
        }
        // Only names that something still has are remembered, which is a few for each thing.
        if given.count > Self.memory { given = [:] }
        for (origin, name) in shown { given[name] = origin }
    }

    /// What a name means; nil if it means nothing.
    package func origin(of name: [UInt8]) -> Origin? { given[name] }

    /// The name under which something is listed; nil if it is not.
    package func name(of origin: Origin) -> [UInt8]? { shown[origin] }

    /// How many names there are.
    package var count: Int { shown.count }

    /// The first name for something that nothing else has: as it is wanted, else with a hash.
    private func free(_ origin: Origin, _ wanted: [UInt8], _ taken: Set<[UInt8]>) -> [UInt8] {
        func isFree(_ name: [UInt8]) -> Bool {
            !taken.contains(name) && given[name].map { $0 == origin } ?? true
        }
        if Self.isFit(wanted), isFree(wanted) { return wanted }
        let kept = Self.mapped(wanted).prefix(Self.longest - 9)
        var salt: UInt64 = 0
        while true {
            var name = Array(kept)
            name.append(UInt8(ascii: "_"))
            name.append(hex: Self.hash(prefixes[origin.member], origin.name, salt))
            if isFree(name) { return name }
            salt &+= 1
        }
    }

    private static func isFit(_ name: [UInt8]) -> Bool {
        (1...longest).contains(name.count) && name.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        if ASCII.isLetter(byte) || ASCII.isDigit(byte) { return true }
        return byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    /// The name with an underscore for each character that may not stand in one.
    private static func mapped(_ name: [UInt8]) -> [UInt8] {
        // The bytes of a character beyond ASCII after its first are passed over.
        name.filter { $0 & 0xC0 != 0x80 }.map { isAllowed($0) ? $0 : UInt8(ascii: "_") }
    }

    /// Four bytes that hardly any other thing has (FNV-1a, folded); who chooses names to collide gains another hash.
    private static func hash(_ prefix: [UInt8], _ name: [UInt8], _ salt: UInt64) -> [UInt8] {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        for byte in prefix { add(byte) }
        add(0)
        for byte in name { add(byte) }
        for shift in stride(from: UInt64(0), to: 64, by: 8) { add(UInt8(truncatingIfNeeded: salt >> shift)) }
        let folded = UInt32(truncatingIfNeeded: hash ^ hash >> 32)
        return stride(from: UInt32(24), through: 0, by: -8).map { UInt8(truncatingIfNeeded: folded >> $0) }
    }
}
