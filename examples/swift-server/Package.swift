// swift-tools-version: 6.3
// Gatehouse. SPDX-License-Identifier: MIT

import PackageDescription

let package = Package(
    name: "swift-server",
    dependencies: [.package(name: "gatehouse", path: "../..")],
    targets: [
        .executableTarget(
            name: "calculator",
            dependencies: [
                .product(name: "MCPServer", package: "gatehouse"),
                // Only for serving HTTP.
                .product(name: "Hosting", package: "gatehouse"),
            ]
        )
    ]
)
