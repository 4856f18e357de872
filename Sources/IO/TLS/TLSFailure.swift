// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL

/// Why TLS cannot be spoken: a file that is no certificate, a key that does not fit, a peer that breaks the rules.
package struct TLSFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong, in words; no bytes of a key.
    package let message: String

    package init(_ message: String) {
        self.message = message
    }

    package var description: String { message }

    /// What OpenSSL says of its last failure on this thread; it is forgotten by that.
    static func lastReason() -> String {
        var reason = "no reason given"
        var isFirst = true
        while true {
            let code = ERR_get_error()
            guard code != 0 else { return reason }
            guard isFirst, let text = ERR_reason_error_string(code) else { continue }
            reason = String(cString: text)
            isFirst = false
        }
    }
}
