// Gatehouse. SPDX-License-Identifier: MIT

import COpenSSL
import Glibc

/// The queue in which OpenSSL leaves its errors, one for each thread.
enum TLSErrors {
    /// Forgets what earlier calls left: what is there would be taken for the next call's.
    static func clear() {
        ERR_clear_error()
    }

    /// Takes everything out of the queue; the first that was put there says the most.
    static func take() -> TLSFailure {
        let first = ERR_get_error()
        ERR_clear_error()
        let system = gatehouse_tls_is_system_error(first)
        if system != 0, let words = strerror(system) {
            return TLSFailure(String(cString: words).lowercased())
        }
        guard first != 0, let words = ERR_reason_error_string(first) else {
            return TLSFailure("the connection broke off")
        }
        return TLSFailure(String(cString: words), isPlainHTTP: gatehouse_tls_is_plain_http(first) != 0)
    }
}
