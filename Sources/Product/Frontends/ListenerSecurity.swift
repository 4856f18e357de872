// Gatehouse. SPDX-License-Identifier: MIT

package import Configuration
import HTTPWire
package import TLS

/// What the listener of a configuration needs to speak TLS (`gateway.tls`).
package enum ListenerSecurity {
    /// Reads the certificate and the key; nil where plain HTTP is spoken.
    package static func identity(of configuration: GatewayConfiguration) throws(TLSFailure) -> TLSIdentity? {
        guard let tls = configuration.tls else { return nil }
        return try TLSIdentity(settings(tls))
    }

    /// Why a gateway of this configuration would not start; nil if nothing speaks against it.
    package static func problem(of configuration: GatewayConfiguration) -> String? {
        do {
            _ = try identity(of: configuration)
            return nil
        } catch {
            return "gateway.tls: \(error)"
        }
    }

    /// What every response by TLS says besides: that a browser is to come by TLS only (RFC 6797 §6.1).
    static func fields(of configuration: GatewayConfiguration) -> HTTPResponseFields {
        guard let tls = configuration.tls, tls.hstsSeconds > 0 else { return [] }
        return [("Strict-Transport-Security", Array("max-age=\(tls.hstsSeconds)".utf8))]
    }

    private static func settings(_ tls: TLSConfiguration) -> TLSSettings {
        var settings = TLSSettings(certificate: tls.certificate, key: tls.key)
        settings.clientAuthority = tls.clientAuthority
        settings.clientCertificates =
            switch tls.clientCertificates {
            case .none: .none
            case .optional: .optional
            case .required: .required
            }
        settings.minimumVersion = tls.minimumVersion == .v1_3 ? .v1_3 : .v1_2
        return settings
    }
}
