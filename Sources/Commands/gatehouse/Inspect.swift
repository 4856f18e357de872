// Gatehouse. SPDX-License-Identifier: MIT

/// Placeholder while the client is being written on another branch.
enum Inspect {
    static func run(arguments: [String]) -> Int32 { 2 }
}
