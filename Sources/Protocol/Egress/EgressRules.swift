// Gatehouse. SPDX-License-Identifier: MIT

package import Addresses

/// What outgoing requests may reach: public addresses over https, and what is allowed besides (`gateway.egress`).
///
/// It is asked twice about each request: before a name is looked up, and for each address that is about to be connected to
/// or is connected already. So a name that leads elsewhere the second time gains nothing.
package struct EgressRules: Sendable, Equatable {
    /// One thing that may be reached.
    package enum Rule: Sendable, Hashable {
        /// A host by its name, in lower case, wherever it leads.
        case host(String)
        /// One port of such a host.
        case service(host: String, port: UInt16)
        /// The addresses of a range.
        case range(AddressRange)
    }

    /// What may be reached, with or without TLS.
    package var allow: [Rule]
    /// Whether everything may be.
    private var isOpen = false

    /// Nothing but public addresses over https, and these.
    package init(allow: [Rule] = []) {
        self.allow = allow
    }

    /// Nothing but public addresses over https, and the host and port of a URL, for one that the operator has written.
    ///
    /// - Parameter url: The URL.
    /// - Throws: Why it cannot be read.
    package init(service url: String) throws(EgressRefusal) {
        let destination = try Destination(url)
        self.init(allow: [.service(host: destination.host, port: destination.port)])
    }

    /// Everything: for a URL that the user of the program has typed.
    package static let anywhere = {
        var rules = EgressRules()
        rules.isOpen = true
        return rules
    }()

    /// Why a request must not be sent, as far as its URL says; nil lets it go on to its addresses.
    package func refusal(of url: String) -> EgressRefusal? {
        guard !isOpen else { return nil }
        do throws(EgressRefusal) {
            return refusal(of: try Destination(url))
        } catch {
            return error
        }
    }

    /// The same for a URL that was read.
    package func refusal(of destination: Destination) -> EgressRefusal? {
        guard !isOpen, !allows(destination) else { return nil }
        if let address = destination.address { return refusal(of: destination, at: address) }
        let isLocal = destination.host == "localhost" || destination.host.hasSuffix(".localhost")
        // Such names never leave this machine (RFC 6761 §6.3).
        if isLocal, !Self.loopback.contains(where: allows) {
            return EgressRefusal(.address(destination.host, .loopback, nil))
        }
        let hasRanges = allow.contains { if case .range = $0 { true } else { false } }
        return destination.isSecure || hasRanges ? nil : EgressRefusal(.insecure(destination.host))
    }

    /// Why an address must not be connected to for a request; nil if it may.
    package func refusal(of destination: Destination, at address: IPAddress) -> EgressRefusal? {
        guard !isOpen, !allows(destination), !allows(address) else { return nil }
        let (found, range) = AddressClass.of(address)
        guard found == .public else { return EgressRefusal(.address("\(address)", found, range)) }
        return destination.isSecure ? nil : EgressRefusal(.insecure(destination.host))
    }

    private static let loopback = [IPAddress("127.0.0.1"), IPAddress("::1")].compactMap(\.self)

    private func allows(_ destination: Destination) -> Bool {
        allow.contains { rule in
            switch rule {
            case .host(let name): name.utf8.elementsEqual(destination.host.utf8)
            case .service(let name, let port):
                port == destination.port && name.utf8.elementsEqual(destination.host.utf8)
            case .range: false
            }
        }
    }

    private func allows(_ address: IPAddress) -> Bool {
        allow.contains { if case .range(let range) = $0 { range.contains(address) } else { false } }
    }
}

/// Why a request is not sent: which rule says so.
package struct EgressRefusal: Error, Sendable, Equatable, CustomStringConvertible {
    enum Reason: Sendable, Equatable {
        case unreadable(String)
        case insecure(String)
        case address(String, AddressClass, AddressRange?)
    }

    let reason: Reason

    init(_ reason: Reason) {
        self.reason = reason
    }

    static func unreadable(_ why: String) -> EgressRefusal { EgressRefusal(.unreadable(why)) }

    /// The rule in words; it quotes the host or address, and nothing else of the URL.
    package var description: String {
        switch reason {
        case .unreadable(let why): "the URL is refused: \(why)"
        case .insecure(let host):
            "gateway.egress allows http:// only to what its \"allow\" names, and \(host) is not there"
        case .address(let text, let found, let range):
            "gateway.egress does not allow \(text): \(found.rawValue)"
                + (range.map { $0.prefix < $0.address.bytes.count * 8 ? ", \($0)" : "" } ?? "")
        }
    }
}
