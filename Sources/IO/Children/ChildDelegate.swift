// Gatehouse. SPDX-License-Identifier: MIT

/// What a child tells its owner, on the loop's thread.
package protocol ChildDelegate: AnyObject {
    /// The child wrote to its standard output.
    ///
    /// The bytes are borrowed: copy what is to be kept, or have them given again (`Child.keepOutput`).
    func childOutput(_ bytes: Span<UInt8>, of child: Child)

    /// The child wrote to its standard error.
    ///
    /// The end of it is kept in `diagnosticsTail` already.
    func childDiagnostics(_ bytes: Span<UInt8>, of child: Child)

    /// `pendingInput` fell to 0 after it had been more: the child has taken it, or will never take any more.
    func childInputDrained(of child: Child)

    /// The child has ended and its output has been delivered.
    ///
    /// Once, and the last call.
    func childExited(_ exit: ChildExit, of child: Child)
}
