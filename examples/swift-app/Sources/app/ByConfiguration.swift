// Gatehouse. SPDX-License-Identifier: MIT

import Hosting

/// A gateway that offers what a configuration file says, and nothing else.
func byConfiguration(_ file: String, port: UInt16) throws -> MCPFunctionApp {
    try MCPFunctionApp(configurationFile: file, accessLevel: .anonymous, port: port)
}
