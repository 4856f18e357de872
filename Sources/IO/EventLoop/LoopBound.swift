// Gatehouse. SPDX-License-Identifier: MIT

/// Carries something that belongs to a loop through `@Sendable` closures.
///
/// The value can be made anywhere and is only given out on the loop's thread; elsewhere, reading it traps.
// Sendable, unchecked: the value is reachable on one thread only.
package struct LoopBound<Value>: @unchecked Sendable {
    private let bound: Value
    /// The loop that the value belongs to.
    package let loop: EventLoop

    package init(_ value: Value, _ loop: EventLoop) {
        bound = value
        self.loop = loop
    }

    /// The value.
    ///
    /// Loop thread only.
    package var value: Value {
        loop.preconditionCurrent()
        return bound
    }
}
