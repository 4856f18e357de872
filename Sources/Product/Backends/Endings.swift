// Gatehouse. SPDX-License-Identifier: MIT

import JSONRPC

extension Failure {
    /// What they hear who come while a server is being stopped, or still wait when it is: the gateway ends, or its
    /// configuration has changed.
    static let stopping = Failure(.internalError, "The gateway is stopping the server", source: .gateway)

    /// What they hear whose session ends, by their own wish or for want of use, while they wait.
    static let sessionEnded = Failure(.internalError, "The session has ended", source: .client)
}
