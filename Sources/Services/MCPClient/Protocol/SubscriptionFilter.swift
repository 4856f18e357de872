// Gatehouse. SPDX-License-Identifier: MIT

import JSON
package import MCPCore

/// What a client wants to be told of without asking each time.
package typealias SubscriptionFilter = ListenFilter

extension ServerDescription {
    /// Whether it tells when a list has changed.
    package func notifies(_ capability: String) -> Bool {
        capabilities[capability]?["listChanged"]?.bool == true
    }

    /// Whether single resources can be subscribed to.
    package var takesSubscriptions: Bool { capabilities["resources"]?["subscribe"]?.bool == true }
}
