// Gatehouse. SPDX-License-Identifier: MIT

package import Diagnostics
package import JSONRPC

/// The record of what passed: how much, and how it ended.
///
/// One loop's. Calls are counted by outcome and by whose fault a failure was; the log has a line for each failure.
package final class Records {
    /// Messages that passed the pipeline.
    package private(set) var messages = 0
    /// Requests that a station or the wire refused.
    package private(set) var refusals = 0
    /// Calls that failed, by whose fault it was.
    package private(set) var failures: [FaultSource: Int] = [:]
    private let log: Log

    /// Starts at zero.
    package init(log: Log) {
        self.log = log.of("calls")
    }

    func noteMessage() {
        messages += 1
    }

    /// A request was refused.
    package func noteRefusal(_ status: Int, _ reason: String) {
        refusals += 1
        log.debug("refused with \(status): \(reason)")
    }

    /// A call has failed.
    package func noteFailure(_ failure: Failure, server: String, method: String) {
        failures[failure.source, default: 0] += 1
        log.info("\(server) \(method) failed (\(failure.source.rawValue)): \(failure.message)")
    }
}
