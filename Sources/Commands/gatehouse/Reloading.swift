// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Diagnostics
import EventLoop
import FoundationEssentials
import Frontends
import Glibc

/// Watches a configuration file: SIGHUP reads it again at once, and so does a change of the file once it has settled.
///
/// A file with mistakes changes nothing; the log says what is wrong. It starts with `init` and ends with `close`. The loop's:
/// reading a file takes it about a millisecond, and is seldom.
final class Reloading {
    /// Where a configuration came from.
    struct Source {
        /// The file; nil where there is none to watch, so that only the signal counts.
        var path: String?
        /// What the command line says over it.
        var overrides = ConfigurationOverrides()
        /// Makes of what was read what is used.
        var prepare: (GatewayConfiguration) -> GatewayConfiguration = { $0 }
    }

    private let source: Source
    private let environment: ConfigurationEnvironment
    private let log: Log
    private let apply: (GatewayConfiguration) -> Void
    private var signal: SignalWatcher?
    private var timer: LoopTimer?
    /// What the file looked like when it was read.
    private var read: FileStamp?
    /// What it looked like when it was last looked at.
    private var seen: FileStamp?

    /// Begins to watch.
    ///
    /// - Parameters:
    ///   - source: Where the configuration came from.
    ///   - environment: Where it is read.
    ///   - loop: Where this lives.
    ///   - log: Where it says what happens.
    ///   - apply: Takes a configuration without mistakes.
    /// - Throws: Why the signal cannot be watched.
    init(
        _ source: Source,
        in environment: ConfigurationEnvironment,
        on loop: EventLoop,
        log: Log,
        apply: @escaping (GatewayConfiguration) -> Void
    ) throws(IOFailure) {
        self.source = source
        self.environment = environment
        self.log = log.of(.reload)
        self.apply = apply
        signal = try SignalWatcher(loop, signal: SIGHUP) { [weak self] in self?.reload("asked by SIGHUP") }
        guard let path = source.path, let stamp = FileStamp(environment.absolute(path)) else { return }
        read = stamp
        seen = stamp
        timer = LoopTimer(loop) { [weak self] in self?.look() }
        timer?.repeat(every: 1_000)
    }

    func close() {
        signal?.close()
        signal = nil
        timer?.close()
        timer = nil
    }

    /// Reads the file if it has changed and is the same as a second ago: whoever writes it has finished.
    private func look() {
        guard let path = source.path, let stamp = FileStamp(environment.absolute(path)) else { return }
        defer { seen = stamp }
        if stamp != read, stamp == seen { reload("the file has changed") }
    }

    private func reload(_ reason: String) {
        if let path = source.path { read = FileStamp(environment.absolute(path)) }
        let report = ConfigurationReader.load(source.path, overrides: source.overrides, in: environment)
        for issue in report.issues { log.warning("\(issue)") }
        guard report.isValid else {
            return log.error(
                "the configuration has mistakes and is not used (\(reason)); nothing has changed"
            )
        }
        let configuration = source.prepare(report.configuration)
        if let problem = ListenerSecurity.problem(of: configuration)
            ?? Confinement.problem(of: configuration, in: environment)
        {
            return log.error("\(problem); the configuration is not used (\(reason)); nothing has changed")
        }
        log.info("reading the configuration again: \(reason)")
        apply(configuration)
    }
}
