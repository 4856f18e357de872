// Gatehouse. SPDX-License-Identifier: MIT

import Backends
import Configuration
import Frontends

/// What a configuration asks of the machine that no reading of its text can tell.
enum StartProblem {
    /// Why a gateway cannot start with a configuration; nil if it can.
    static func of(_ configuration: GatewayConfiguration, in environment: ConfigurationEnvironment) -> String?
    {
        Confinement.problem(of: configuration, in: environment) ?? TLSFiles.problem(of: configuration)
    }
}
