// Gatehouse. SPDX-License-Identifier: MIT

package import Addresses

/// Where a URL leads: its scheme, host and port, read so strictly that no other reader can see another host in it.
///
/// There is no user information, no fragment, no backslash and nothing but ASCII in it. A host whose last label is a number
/// must be an address of four decimal parts: `0x7f.1`, `2130706433` and the like are refused, however a resolver reads them
/// (URL Standard, "ends in a number").
package struct Destination: Sendable, Equatable {
    /// Whether it is reached by TLS.
    package let isSecure: Bool
    /// The host in lower case, without the brackets of an address and the dot of the root.
    package let host: String
    /// The address that the host is, if it is one.
    package let address: IPAddress?
    /// The port, written or by the scheme.
    package let port: UInt16

    /// Reads an absolute URL of http or https.
    package init(_ url: String) throws(EgressRefusal) {
        guard url.utf8.count <= 8192, url.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
            throw EgressRefusal.unreadable("it has characters that do not belong there")
        }
        let lowered = url.lowercased()
        if lowered.hasPrefix("https://") {
            isSecure = true
        } else if lowered.hasPrefix("http://") {
            isSecure = false
        } else {
            throw EgressRefusal.unreadable("it is neither http:// nor https://")
        }
        let rest = lowered.dropFirst(isSecure ? 8 : 7)
        guard !rest.utf8.contains(where: { $0 == UInt8(ascii: "\\") || $0 == UInt8(ascii: "#") }) else {
            throw EgressRefusal.unreadable("it has a backslash or a fragment in it")
        }
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard !authority.utf8.contains(UInt8(ascii: "@")) else {
            throw EgressRefusal.unreadable("it has user information in it")
        }
        let (name, tail) = try Self.divide(authority)
        port = try Self.port(tail) ?? (isSecure ? 443 : 80)
        if name.hasPrefix("[") {
            guard let literal = IPAddress(name.dropFirst().dropLast()), literal.bytes.count == 16 else {
                throw EgressRefusal.unreadable("it has no proper address in its brackets")
            }
            (address, host) = (literal, literal.description)
            return
        }
        let plain = name.hasSuffix(".") ? name.dropLast() : name
        guard Self.isName(plain) else { throw EgressRefusal.unreadable("its host is no proper name") }
        address = IPAddress(plain)
        host = String(plain)
        if address == nil, Self.endsInNumber(plain) {
            throw EgressRefusal.unreadable("its host is a number that is written in an unusual way")
        }
    }

    /// The host, and what follows it.
    private static func divide(_ authority: Substring) throws(EgressRefusal) -> (Substring, Substring) {
        guard authority.hasPrefix("[") else {
            let name = authority.prefix { $0 != ":" }
            return (name, authority[name.endIndex...])
        }
        guard let end = authority.firstIndex(of: "]") else {
            throw EgressRefusal.unreadable("it has a bracket that is not closed")
        }
        let next = authority.index(after: end)
        return (authority[..<next], authority[next...])
    }

    /// The port after a colon; nil if there is neither.
    private static func port(_ tail: Substring) throws(EgressRefusal) -> UInt16? {
        guard !tail.isEmpty else { return nil }
        let digits = tail.dropFirst()
        guard tail.hasPrefix(":"), (1...5).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let port = UInt16(digits), port > 0
        else { throw EgressRefusal.unreadable("it has no proper port") }
        return port
    }

    private static func isName(_ name: Substring) -> Bool {
        guard (1...253).contains(name.utf8.count) else { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            (1...63).contains(label.utf8.count)
                && label.utf8.allSatisfy { byte in
                    switch byte {
                    case 0x30...0x39, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"): true
                    default: false
                    }
                }
        }
    }

    private static func endsInNumber(_ name: Substring) -> Bool {
        let last = name.split(separator: ".").last ?? ""
        if last.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return true }
        guard last.hasPrefix("0x") else { return false }
        return last.dropFirst(2).utf8.allSatisfy { $0 >= 0x30 && $0 <= 0x39 || $0 >= 0x61 && $0 <= 0x66 }
    }
}
