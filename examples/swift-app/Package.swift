// swift-tools-version: 6.3
// Gatehouse. SPDX-License-Identifier: MIT

import PackageDescription

let package = Package(
    name: "swift-app",
    dependencies: [.package(name: "gatehouse", path: "../..")],
    targets: [
        .executableTarget(
            name: "app",
            dependencies: [
                .product(name: "MCPServer", package: "gatehouse"),
                .product(name: "Hosting", package: "gatehouse"),
                // Built, not linked: it ends the servers when the program is killed.
                .product(name: "gatehouse-launcher", package: "gatehouse"),
            ]
        )
    ]
)
