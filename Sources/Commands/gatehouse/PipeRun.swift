// Gatehouse. SPDX-License-Identifier: MIT

import Configuration
import Diagnostics
import EventLoop
import Frontends
import Glibc

/// One run of the gateway for the client on standard input and output.
///
/// It ends with the input, with a signal, or when another configuration takes the server of the client's session away, each
/// when what was asked is answered; a second signal ends it at once. The loop's.
final class PipeRun {
    private let configuration: GatewayConfiguration
    private let environment: ConfigurationEnvironment
    /// The server that the client wants; nil for the default one.
    private let name: String?
    private let log: Log
    private var gateway: GatewayServer?
    private var signals: [SignalWatcher] = []
    private var reloading: Reloading?
    /// Where the configuration came from, if it is read again; nil for one that was never a file.
    private let reload: Reloading.Source?
    private var status: Int32 = 0

    init(
        _ configuration: GatewayConfiguration,
        server name: String?,
        _ environment: ConfigurationEnvironment,
        _ log: Log,
        reloading reload: Reloading.Source? = nil
    ) {
        self.reload = reload
        self.configuration = configuration
        self.name = name
        self.environment = environment
        self.log = log
    }

    /// Serves until the client has gone; the exit status.
    func untilItEnds() -> Int32 {
        DescriptorLimit.raise()
        do {
            let input = try StandardDescriptor(0, isInput: true)
            let output = try StandardDescriptor(1, isInput: false)
            let loop = try EventLoop(name: "gatehouse")
            let bound = LoopBound(self, loop)
            loop.post { bound.value.begin(input.descriptor, output.descriptor, on: loop) }
            loop.run()
            output.finish()
        } catch {
            Terminal.say("gatehouse: \(error)")
            return 1
        }
        return status
    }

    private func begin(_ input: Int32, _ output: Int32, on loop: EventLoop) {
        let pipes = ClientPipes(input: input, output: output, server: name) { [weak self] end in
            self?.ended(end, loop)
        }
        do {
            for signal in [SIGTERM, SIGINT] {
                signals.append(try SignalWatcher(loop, signal: signal) { [weak self] in self?.stop(loop) })
            }
            gateway = try GatewayServer(
                configuration,
                in: environment,
                on: loop,
                log: log,
                entrance: .pipes(pipes)
            )
            reloading = try reload.map { source in
                try Reloading(source, in: environment, on: loop, log: log) { [weak self] in
                    self?.gateway?.reload($0)
                }
            }
        } catch {
            Terminal.say("gatehouse: \(error)")
            status = 1
            loop.stop()
        }
    }

    private func ended(_ end: StdioEnd, _ loop: EventLoop) {
        guard gateway != nil else { return }
        switch end {
        case .inputEnded, .outputLost: break
        case .notReading: fail("the client does not read what it asks for")
        case .lineTooLong: fail("the client sent a message that is too long")
        case .sessionEnded: fail("the server is of no more use")
        case .serverChanged: fail("the server has changed or is gone with the configuration; start again")
        }
        stop(loop)
    }

    private func fail(_ words: String) {
        Terminal.say("gatehouse: \(words)")
        status = 1
    }

    private func stop(_ loop: EventLoop) {
        guard let gateway else { return loop.stop() }
        reloading?.close()
        self.gateway = nil
        gateway.stop { [gateway] in
            // The last of the output is closed with the streams of the gateway.
            gateway.close()
            loop.stop()
        }
    }
}
