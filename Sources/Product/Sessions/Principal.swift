// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Who makes a call: the one that owns sessions, streams, parked calls and children.
///
/// All parts together are the identity: the same subject through another client or tenant is another principal.
package struct Principal: Sendable, Hashable {
    /// Kept by reference, since each call hands its principal on a dozen times.
    private final class Parts: Sendable {
        let issuer: String
        let subject: String
        let client: String
        let tenant: String
        let key: String
        let hash: Int

        init(issuer: String, subject: String, client: String, tenant: String) {
            (self.issuer, self.subject, self.client, self.tenant) = (issuer, subject, client, tenant)
            let key = [issuer, subject, client, tenant].map { "\($0.utf8.count):\($0)" }.joined()
            self.key = key
            var hasher = Hasher()
            for byte in key.utf8 { hasher.combine(byte) }
            hash = hasher.finalize()
        }
    }

    private let parts: Parts

    /// Who vouches for the subject.
    package var issuer: String { parts.issuer }
    /// The subject, in the issuer's words.
    package var subject: String { parts.subject }
    /// The program that acts for the subject.
    package var client: String { parts.client }
    /// The tenant.
    package var tenant: String { parts.tenant }

    /// Makes a principal.
    package init(issuer: String, subject: String, client: String, tenant: String) {
        parts = Parts(issuer: issuer, subject: subject, client: client, tenant: tenant)
    }

    /// Everyone, where nobody is asked to say who they are.
    package static let anonymous = Principal(issuer: "", subject: "", client: "", tenant: "")

    /// The one who started this program, where it serves them alone.
    package static let local = Principal(issuer: "", subject: "local", client: "", tenant: "")

    /// The parts as bytes that no other principal has, to bind seals to it.
    package var key: String { parts.key }

    /// Compares by bytes: strings that only look the same are different principals.
    package static func == (left: Principal, right: Principal) -> Bool {
        left.parts === right.parts || left.key.hasSameBytes(as: right.key)
    }

    /// Hashes what is compared.
    package func hash(into hasher: inout Hasher) { hasher.combine(parts.hash) }
}
