// Gatehouse. SPDX-License-Identifier: MIT

import Gateway
import HTTPServer

/// A request that was let in and whose body is awaited.
final class Visit {
    /// What the stations found out.
    let passage: Passage
    /// Hears that the client has gone, while an answer is due.
    @exclusivity(unchecked) var onVanish: (() -> Void)?

    init(_ passage: Passage) {
        self.passage = passage
    }
}
