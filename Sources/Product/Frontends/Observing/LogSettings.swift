// Gatehouse. SPDX-License-Identifier: MIT

package import Configuration
package import Diagnostics

extension GatewayConfiguration {
    /// How the log is written: as `gateway.log` says, except for a level that goes before it.
    ///
    /// Values that are secret by where they stand never appear in it: what servers get in their environment, and the fields
    /// that are sent to remote servers and to the collector of spans.
    ///
    /// - Parameters:
    ///   - stated: The level that the command line gave, if it did.
    ///   - usual: The level where nobody states one.
    ///   - sink: Where a line goes; standard error if not given.
    /// - Returns: How to write.
    package func logOutput(
        _ stated: LogLevel? = nil,
        usual: LogLevel = .info,
        sink: @escaping @Sendable ([UInt8]) -> Void = LogOutput.toStandardError
    ) -> LogOutput {
        LogOutput(
            format: log.format == .json ? .json : .human,
            level: stated ?? log.level?.logLevel ?? usual,
            levels: log.levels.mapValues(\.logLevel),
            secrets: secrets,
            sink: sink
        )
    }
}

extension GatewayConfiguration {
    /// Values that are secret by where they stand.
    var secrets: [String] {
        // The path of a file is no secret, and stands in many a line.
        let values = servers.flatMap { $0.environment.values }.filter { !$0.hasPrefix("/") }
        return values + servers.flatMap { $0.remote?.headers ?? [] }.map(\.value)
            + (tracing?.headers ?? []).map(\.value)
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
