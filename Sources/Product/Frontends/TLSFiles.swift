// Gatehouse. SPDX-License-Identifier: MIT

package import Configuration
import Diagnostics
import HTTPServer
import TLS

/// The files that a listener speaks TLS with: read at the start, and again when they change.
///
/// A renewed certificate and its key are two files, and for a moment only one of them is new: what does not fit together is
/// not used, and the next look may find that it does.
package final class TLSFiles {
    private let settings: TLSContext.Settings
    private let log: Log
    private var stamps: [FileStamp?]

    /// Reads the files and lets a server speak TLS with them.
    ///
    /// - Throws: `TLSFailure`: which of the files is not what it should be.
    init(_ configuration: TLSConfiguration, _ server: HTTPServer, log: Log) throws {
        settings = configuration.settings
        self.log = log.of("tls")
        stamps = settings.files.map { FileStamp($0) }
        server.tls = try TLSContext(settings)
        guard configuration.hstsSeconds > 0 else { return }
        let value = Array("max-age=\(configuration.hstsSeconds)".utf8)
        server.fieldsOverTLS = [("Strict-Transport-Security", value)]
    }

    /// Why TLS cannot be spoken as a configuration says; nil if it can, or need not.
    package static func problem(of configuration: GatewayConfiguration) -> String? {
        guard let tls = configuration.tls else { return nil }
        do throws(TLSFailure) {
            _ = try TLSContext(tls.settings)
            return nil
        } catch {
            return "gateway.tls: \(error.message)"
        }
    }

    /// Reads the files again if they have changed; to be called about every second.
    func look(_ server: HTTPServer) {
        let now = settings.files.map { FileStamp($0) }
        guard now != stamps else { return }
        stamps = now
        do throws(TLSFailure) {
            server.tls = try TLSContext(settings)
            log.info("the certificate was read again, for connections to come")
        } catch {
            log.warning("\(error.message); what was read before is kept")
        }
    }
}

extension TLSConfiguration {
    /// The same in the words of the room that speaks TLS.
    fileprivate var settings: TLSContext.Settings {
        var settings = TLSContext.Settings(certificate: certificate, key: key)
        settings.isOnly1_3 = minimumVersion == .v1_3
        settings.clientAuthority = clientCertificates == .none ? nil : clientAuthority
        settings.requiresClientCertificate = clientCertificates == .required
        return settings
    }
}
