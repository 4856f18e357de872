// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics

extension GatewayConfiguration {
    /// How the log is written: as `gateway.log` says, except for a level that the command line gave.
    ///
    /// Values that are secret by where they stand never appear in it: what servers get in their environment, and the fields
    /// that are sent to remote servers and to the collector of spans.
    func logOutput(_ stated: LogLevel?) -> LogOutput {
        // The path of a file is no secret, and stands in many a line.
        let values = servers.flatMap { $0.environment.values }.filter { !$0.hasPrefix("/") }
        let secrets =
            values + servers.flatMap { $0.remote?.headers ?? [] }.map(\.value)
            + (tracing?.headers ?? []).map(\.value)
        return LogOutput(
            format: log.format == .json ? .json : .human,
            level: stated ?? log.level.logLevel,
            levels: log.levels.mapValues(\.logLevel),
            secrets: secrets
        )
    }
}

extension LogConfiguration.Level {
    fileprivate var logLevel: LogLevel {
        switch self {
        case .debug: .debug
        case .info: .info
        case .warning: .warning
        case .error: .error
        }
    }
}
