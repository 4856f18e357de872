// swift-tools-version: 6.3
// Gatehouse. SPDX-License-Identifier: MIT

import PackageDescription

// A folder is a layer, a target is a room, and imports point down only (ARCHITECTURE.md, "Layers").

let common: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

/// Rooms that hold no pointers: the compiler refuses unsafe constructs in them.
let safe = common + [.strictMemorySafety()]

func room(
    _ layer: String,
    _ name: String,
    _ dependencies: [String],
    _ settings: [SwiftSetting] = safe
) -> Target {
    .target(
        name: name,
        dependencies: dependencies.map { .init(stringLiteral: $0) },
        path: "Sources/\(layer)/\(name)",
        swiftSettings: settings
    )
}

func tests(
    _ layer: String,
    _ name: String,
    _ dependencies: [String],
    resources: [Resource]? = nil,
    exclude: [String] = []
) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: ([name] + dependencies).map { .init(stringLiteral: $0) },
        path: "Tests/\(layer)/\(name)Tests",
        exclude: exclude,
        resources: resources,
        swiftSettings: common
    )
}

func library(_ name: String, _ pkgConfig: String, _ package: String) -> Target {
    .systemLibrary(
        name: name,
        path: "Sources/System/\(name)",
        pkgConfig: pkgConfig,
        providers: [.apt([package])]
    )
}

let package = Package(
    name: "gatehouse",
    products: [
        // For other Swift programs.
        .library(name: "MCPServer", targets: ["MCPServer"]),
        .library(name: "Hosting", targets: ["Hosting"]),
        // Named for them too: it lies beside a program with a gateway in it.
        .executable(name: "gatehouse-launcher", targets: ["gatehouse-launcher"]),
    ],
    targets: [
        library("CUV", "libuv", "libuv1-dev"),
        library("COpenSSL", "openssl", "libssl-dev"),
        library("CCurl", "libcurl", "libcurl4-openssl-dev"),
        library("CSQLite", "sqlite3", "libsqlite3-dev"),
        // Tests only: a second opinion.
        .systemLibrary(
            name: "CHTTPParser",
            path: "Sources/System/CHTTPParser",
            providers: [.apt(["libhttp-parser-dev"])]
        ),
        .target(name: "CProcess", path: "Sources/System/CProcess"),

        room("Base", "Bytes", []),
        room("Base", "JSON", ["Bytes"]),
        room("Base", "Addresses", []),
        room("Base", "Diagnostics", ["Bytes"], common),
        room("Base", "Crypto", ["COpenSSL", "Bytes"], common),

        room("Protocol", "HTTPWire", ["Bytes"]),
        room("Protocol", "EventStream", ["Bytes"]),
        room("Protocol", "StdioFraming", ["Bytes"]),
        room("Protocol", "Egress", ["Addresses"]),
        room("Protocol", "JSONRPC", ["Bytes", "JSON"]),
        room("Protocol", "MCPCore", ["Bytes", "JSON", "JSONRPC", "URITemplate"]),
        room("Protocol", "URITemplate", ["Bytes"]),

        room("IO", "EventLoop", ["CUV", "CProcess", "Bytes"], common),
        room("IO", "Children", ["EventLoop", "CProcess", "CUV", "Bytes", "Diagnostics"], common),
        room("IO", "TLS", ["COpenSSL"], common),
        room("IO", "HTTPServer", ["TLS", "EventLoop", "HTTPWire", "Bytes", "Diagnostics"], common),
        room("IO", "HTTPClient", ["EventLoop", "CCurl", "Bytes", "Addresses", "Egress"], common),
        room("IO", "Store", ["EventLoop", "CSQLite", "Diagnostics"], common),

        room(
            "Services",
            "MCPClient",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "StdioFraming", "EventStream", "EventLoop",
                "Children", "HTTPClient", "Egress",
            ],
            common
        ),

        room(
            "Services",
            "MCPServer",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "StdioFraming", "URITemplate", "Crypto", "EventLoop",
                "Diagnostics",
            ],
            common
        ),

        room(
            "Services",
            "Telemetry",
            ["Bytes", "JSON", "Crypto", "Diagnostics", "Egress", "EventLoop", "HTTPClient"],
            common
        ),

        room("Product", "Configuration", ["JSON", "Bytes", "Addresses", "Egress", "Diagnostics"]),
        room(
            "Product",
            "Sessions",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "EventStream", "Crypto", "EventLoop", "Diagnostics",
                "Store",
            ],
            common
        ),
        room(
            "Product",
            "Backends",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "StdioFraming", "Children", "EventLoop", "Crypto",
                "Configuration", "Sessions", "Diagnostics", "MCPServer", "MCPClient", "HTTPClient", "Egress",
                "Telemetry",
            ],
            common
        ),
        room(
            "Product",
            "Gateway",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "HTTPWire", "HTTPServer", "EventLoop", "Crypto",
                "Configuration", "Sessions", "Backends", "Telemetry", "Diagnostics", "Addresses",
            ],
            common
        ),
        room(
            "Product",
            "Frontends",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "HTTPWire", "HTTPServer", "EventStream",
                "EventLoop", "Children", "Crypto", "Configuration", "Sessions", "Gateway", "Backends",
                "TLS", "MCPServer", "Egress", "Telemetry", "Diagnostics", "Store", "StdioFraming",
            ],
            common
        ),

        room(
            "Product",
            "Hosting",
            [
                "Backends", "EventLoop", "JSON", "Configuration", "Diagnostics", "Gateway", "Frontends",
                "MCPServer",
            ],
            common
        ),

        .executableTarget(
            name: "gatehouse",
            dependencies: [
                "Configuration", "Gateway", "Frontends", "Backends", "Sessions", "MCPClient", "MCPServer",
                "MCPCore", "JSONRPC", "HTTPServer", "TLS",
                "Egress", "HTTPClient", "EventLoop", "Children", "Diagnostics", "StdioFraming", "Bytes",
                "JSON",
            ],
            path: "Sources/Commands/gatehouse",
            swiftSettings: common
        ),
        // Plain C, and small: without these flags SwiftPM links the Swift runtime, which triples the time to start.
        .executableTarget(
            name: "gatehouse-launcher",
            path: "Sources/Commands/gatehouse-launcher",
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror", "-fno-sanitize=all"])],
            linkerSettings: [
                .unsafeFlags(["-nostartfiles", "-static-executable", "-Xclang-linker", "-fno-sanitize=all"])
            ]
        ),

        // What tests of several rooms need: no product has it.
        .target(
            name: "TestSupport",
            dependencies: ["EventLoop", "Bytes", "JSON", "MCPCore", "COpenSSL"],
            path: "Tests/Support",
            swiftSettings: common
        ),
        // A disk for SQLite that fails when it is told to.
        .target(name: "CFaultyDisk", dependencies: ["CSQLite"], path: "Tests/FaultyDisk"),
        tests("Base", "Bytes", []),
        tests("Base", "Addresses", []),
        tests("Base", "JSON", ["Bytes"]),
        tests("Base", "Crypto", ["Bytes"]),
        tests("Base", "Diagnostics", ["Bytes", "JSON", "EventLoop"]),
        tests("IO", "EventLoop", ["Bytes", "TestSupport"]),
        tests("IO", "Children", ["EventLoop", "Bytes", "TestSupport"]),
        tests("IO", "HTTPClient", ["EventLoop", "Bytes", "Addresses", "Egress", "TestSupport"]),
        tests("IO", "TLS", ["Bytes", "TestSupport"]),
        tests("IO", "HTTPServer", ["EventLoop", "HTTPWire", "Bytes", "TLS", "TestSupport"]),
        tests("IO", "Store", ["CFaultyDisk", "CSQLite", "Diagnostics", "EventLoop", "TestSupport"]),
        tests(
            "Services",
            "MCPClient",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "EventLoop", "Children", "HTTPClient",
                "StdioFraming", "TestSupport",
            ]
        ),
        tests("Services", "Telemetry", ["Diagnostics", "JSON"]),
        tests("Services", "MCPServer", ["Bytes", "JSON", "EventLoop", "MCPCore", "TestSupport"]),
        tests(
            "Commands",
            "gatehouse",
            [
                "HTTPClient", "MCPClient", "JSON", "JSONRPC", "StdioFraming", "Configuration", "Diagnostics",
                "EventLoop", "Frontends", "MCPServer", "MCPCore", "TestSupport",
            ]
        ),
        tests("Protocol", "StdioFraming", ["Bytes"]),
        tests("Protocol", "HTTPWire", ["Bytes", "CHTTPParser"]),
        tests("Protocol", "Egress", ["Addresses", "JSON"]),
        tests("Protocol", "EventStream", ["Bytes"]),
        tests("Protocol", "JSONRPC", ["JSON"]),
        tests("Protocol", "MCPCore", ["JSON", "JSONRPC", "TestSupport"]),
        tests("Protocol", "URITemplate", ["JSON"]),
        tests(
            "Product",
            "Sessions",
            ["CFaultyDisk", "Crypto", "Diagnostics", "EventLoop", "JSON", "MCPCore", "Store", "TestSupport"]
        ),
        // What the example shows, as it stands there, for the tests that run it.
        .target(
            name: "SwiftAppExample",
            dependencies: ["Hosting", "MCPServer"],
            path: "examples/swift-app/Sources/app",
            exclude: ["main.swift"],
            swiftSettings: common
        ),
        tests(
            "Product",
            "Hosting",
            [
                "MCPServer", "MCPClient", "Children", "EventLoop", "JSON", "JSONRPC", "SwiftAppExample",
                "TestSupport",
            ]
        ),
        tests(
            "Product",
            "Backends",
            [
                "Bytes", "JSON", "JSONRPC", "MCPCore", "Sessions", "Configuration", "Diagnostics", "Egress",
                "EventLoop", "HTTPClient", "MCPClient", "StdioFraming", "TestSupport",
            ]
        ),
        tests("Product", "Gateway", ["Addresses", "Diagnostics", "HTTPWire", "JSONRPC", "MCPCore"]),
        tests(
            "Product",
            "Frontends",
            [
                "Backends", "Configuration", "Crypto", "Diagnostics", "EventLoop", "Gateway", "HTTPWire",
                "JSON", "JSONRPC", "MCPCore", "Sessions", "TestSupport",
            ]
        ),
        tests("Product", "Configuration", ["JSON", "Addresses", "Egress"], exclude: ["Cases"]),
    ]
)
