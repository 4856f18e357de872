// Gatehouse. SPDX-License-Identifier: MIT

/// How much a line of the log matters, least first.
package enum LogLevel: String, Sendable, CaseIterable, Comparable {
    /// What happens inside, for those who look for a fault.
    case debug
    /// What an operator wants to know when all is well.
    case info
    /// Something is wrong and was dealt with.
    case warning
    /// Something does not work.
    case error

    /// Less important first.
    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }

    private var rank: UInt8 {
        switch self {
        case .debug: 0
        case .info: 1
        case .warning: 2
        case .error: 3
        }
    }
}
