// Gatehouse. SPDX-License-Identifier: MIT

import Bytes

/// Who makes a call: the one that owns sessions, streams, parked calls and children.
///
/// All parts together are the identity: the same subject through another client or tenant is another principal.
package struct Principal: Sendable, Hashable {
    /// Who vouches for the subject.
    package let issuer: String
    /// The subject, in the issuer's words.
    package let subject: String
    /// The program that acts for the subject.
    package let client: String
    /// The tenant.
    package let tenant: String

    /// Makes a principal.
    package init(issuer: String, subject: String, client: String, tenant: String) {
        self.issuer = issuer
        self.subject = subject
        self.client = client
        self.tenant = tenant
        key = [issuer, subject, client, tenant].map { "\($0.utf8.count):\($0)" }.joined()
    }

    /// Everyone, where nobody is asked to say who they are.
    package static let anonymous = Principal(issuer: "", subject: "", client: "", tenant: "")

    /// The one who started this program, where it serves them alone.
    package static let local = Principal(issuer: "", subject: "local", client: "", tenant: "")

    /// The parts as bytes that no other principal has, to bind seals to it.
    package let key: String

    /// Compares by bytes: strings that only look the same are different principals.
    package static func == (left: Principal, right: Principal) -> Bool {
        left.key.hasSameBytes(as: right.key)
    }

    /// Hashes what is compared.
    package func hash(into hasher: inout Hasher) {
        for byte in key.utf8 { hasher.combine(byte) }
    }
}
