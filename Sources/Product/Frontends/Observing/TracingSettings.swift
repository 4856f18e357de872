// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop
import Telemetry

extension GatewayConfiguration {
    /// What makes spans of calls, if any are wanted.
    func tracer(on loop: EventLoop, log: Log) -> Tracer? {
        guard let tracing else { return nil }
        do throws(SpanExportFailure) {
            let exporter = try SpanExporter(
                endpoint: tracing.endpoint,
                headers: tracing.headers.map { ($0.name, $0.value) },
                serviceName: tracing.serviceName,
                version: GatewayIdentity.version,
                on: loop,
                log: log
            )
            return Tracer(exporter, sampleRatio: tracing.sampleRatio)
        } catch {
            log.of(.tracing).error("no spans can be sent: \(error.description)")
            return nil
        }
    }
}
