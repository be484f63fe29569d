// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
    // Measured: a request crosses five targets, and generics over bytes must be specialised on the way.
    .unsafeFlags(["-cross-module-optimization", "-enforce-exclusivity=unchecked"], .when(configuration: .release)),
]

let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioTLS: Target.Dependency = .product(name: "NIOTLS", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let httpTypes: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let hummingbird: Target.Dependency = .product(name: "Hummingbird", package: "hummingbird")
let hummingbirdCore: Target.Dependency = .product(name: "HummingbirdCore", package: "hummingbird")
let mustache: Target.Dependency = .product(name: "Mustache", package: "swift-mustache")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals: Target.Dependency = .product(name: "UnixSignals", package: "swift-service-lifecycle")
let grdb: Target.Dependency = .product(name: "GRDB", package: "GRDB.swift")
let toml: Target.Dependency = .product(name: "TOMLKit", package: "TOMLKit")
let httpClient: Target.Dependency = .product(name: "AsyncHTTPClient", package: "async-http-client")
let jwt: Target.Dependency = .product(name: "JWTKit", package: "jwt-kit")
let arguments: Target.Dependency = .product(name: "ArgumentParser", package: "swift-argument-parser")

/// A library target in `Sources/<folder>/<name>`, or in `Sources/<name>` for the planes.
func library(_ name: String, in folder: String? = nil, _ dependencies: [Target.Dependency]) -> Target {
    .target(
        name: name,
        dependencies: dependencies,
        path: "Sources/" + (folder.map { $0 + "/" } ?? "") + name,
        swiftSettings: strict
    )
}

/// The tests of one target, with their vectors as resources where the folder exists.
func tests(_ name: String, _ dependencies: [Target.Dependency] = [], vectors: Bool = false) -> Target {
    .testTarget(
        name: name + "Tests",
        dependencies: [.byName(name: name)] + dependencies,
        path: "Tests/" + name + "Tests",
        resources: vectors ? [.copy("Vectors")] : [],
        swiftSettings: strict
    )
}

let package = Package(
    name: "gatehouse",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "gatehouse", targets: ["gatehouse"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
        .package(url: "https://github.com/apple/swift-crypto", "3.12.3"..<"5.0.0"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.0"),
        .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        // Optimised in debug builds too, where client tests push whole uploads through it.
        .target(
            name: "CChecksums",
            path: "Sources/Protocols/CChecksums",
            cSettings: [.unsafeFlags(["-O2", "-Wall", "-Wextra", "-Werror"])]
        ),
        library("WireFormats", in: "Protocols", ["CChecksums", crypto]),
        library("HTTP1", in: "Protocols", [nioCore]),
        library("Signatures", in: "Protocols", ["WireFormats", "HTTP1", crypto, cryptoExtras]),
        library("S3API", in: "Protocols", ["WireFormats", "HTTP1", nioCore]),

        library("STSAPI", in: "Protocols", ["WireFormats"]),

        library("Identity", in: "Decisions", ["WireFormats", crypto, cryptoExtras]),
        library("Admission", in: "Decisions", ["WireFormats", "S3API", "Identity"]),
        library("Backends", in: "Decisions", ["WireFormats", "HTTP1", "S3API", "Signatures", crypto]),
        library(
            "Pipeline",
            in: "Decisions",
            [
                "WireFormats", "HTTP1", "S3API", "STSAPI", "Signatures", "Identity", "Admission", "Backends", nioCore,
                crypto,
            ]
        ),

        library("Valet", in: "Decisions", ["WireFormats", "S3API"]),

        library("GroupCommit", in: "State", [grdb]),
        library("SQLiteState", in: "State", ["WireFormats", "S3API", "Valet", "GroupCommit", grdb]),

        library("Settings", ["WireFormats", "S3API", "STSAPI", "Identity", "Admission", toml, crypto, nioSSL]),
        library("Journal", ["WireFormats", "Identity", crypto]),
        library("NetworkReasons", [nioCore, nioPosix, nioSSL, httpClient]),
        library(
            "DataPlane",
            [
                "WireFormats", "HTTP1", "S3API", "Pipeline", "Journal", "NetworkReasons", "Identity", "Admission",
                "Backends", nioCore, nioPosix, nioSSL, logging,
            ]
        ),
        library(
            "ControlPlane",
            [
                "WireFormats", "HTTP1", "S3API", "Signatures", "Identity", "Admission", "Backends", "Pipeline", "Valet",
                "Journal", "NetworkReasons", httpClient, hummingbird, hummingbirdCore, mustache, httpTypes, nioCore,
                nioHTTP1, nioSSL, logging, lifecycle, crypto,
            ]
        ),
        library(
            "Federation",
            [
                "WireFormats", "HTTP1", "Signatures", "S3API", "Identity", "Pipeline", "NetworkReasons", httpClient,
                jwt,
                nioCore, nioHTTP1, logging, crypto,
            ]
        ),
        library(
            "EmbeddedStore",
            [
                "WireFormats", "HTTP1", "S3API", "Signatures", "GroupCommit", hummingbirdCore, httpTypes, grdb, nioCore,
                nioPosix,
                logging, lifecycle, crypto,
            ]
        ),
        .executableTarget(
            name: "gatehouse",
            dependencies: [
                "WireFormats", "HTTP1", "Signatures", "S3API", "Identity", "Admission", "Backends", "Pipeline",
                "Valet", "Settings", "Journal", "SQLiteState", "DataPlane", "ControlPlane", "Federation",
                "EmbeddedStore", "NetworkReasons",
                arguments, httpClient,
                lifecycle,
                unixSignals, logging, nioCore, nioPosix, nioSSL, crypto, cryptoExtras,
            ],
            path: "Sources/gatehouse",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "microbench",
            dependencies: [
                "WireFormats", "HTTP1", "Signatures", "S3API", "Identity", "Admission", "Backends", "Pipeline",
                nioCore,
            ],
            path: "Sources/microbench",
            swiftSettings: strict
        ),
        .executableTarget(
            name: "statebench",
            dependencies: ["WireFormats", "S3API", "Valet", "SQLiteState"],
            path: "Sources/statebench",
            swiftSettings: strict
        ),

        // What tests of several targets share.
        .target(name: "Samples", path: "Tests/Samples", swiftSettings: strict),
        tests("WireFormats", ["CChecksums"]),
        tests("HTTP1", [nioCore, nioHTTP1, nioEmbedded], vectors: true),
        tests("Signatures", ["WireFormats", "HTTP1", crypto, cryptoExtras], vectors: true),
        tests("S3API", ["WireFormats", "HTTP1", nioCore], vectors: true),
        tests("STSAPI", ["WireFormats"]),
        tests("Identity", ["WireFormats", "Samples"]),
        tests("Admission", ["WireFormats", "S3API", "Identity"]),
        tests("Backends", ["WireFormats", "HTTP1", "S3API", "Signatures", nioCore]),
        tests(
            "Pipeline",
            [
                "WireFormats", "HTTP1", "S3API", "STSAPI", "Signatures", "Identity", "Admission", "Backends", nioCore,
                crypto,
            ]
        ),
        tests("Valet", ["WireFormats", "S3API"]),
        // One suite that each store of the state passes, and what is SQLite's own.
        .testTarget(
            name: "StateTests",
            dependencies: ["WireFormats", "S3API", "Valet", "SQLiteState", "statebench", grdb],
            path: "Tests/StateTests",
            swiftSettings: strict
        ),
        tests("Settings", ["WireFormats", "S3API", "Identity", "Admission", "Samples", toml]),
        tests("Journal", ["WireFormats", "Identity"]),
        tests(
            "DataPlane",
            [
                "WireFormats", "HTTP1", "S3API", "Backends", "Pipeline", "NetworkReasons", "Samples", nioCore, nioPosix,
                nioEmbedded, nioSSL, logging,
            ]
        ),
        tests(
            "ControlPlane",
            [
                "WireFormats", "HTTP1", "S3API", "Signatures", "Identity", "Admission", "Backends", "Pipeline", "Valet",
                "Journal", "Samples", nioCore, nioPosix, logging, lifecycle,
            ]
        ),
        tests(
            "Federation",
            [
                "WireFormats", "HTTP1", "S3API", "Signatures", "Identity", "Admission", "Backends", "Pipeline",
                "Samples",
                jwt, logging,
            ]
        ),
        tests(
            "EmbeddedStore",
            ["WireFormats", "HTTP1", "S3API", "Signatures", "Samples", grdb, nioCore, nioPosix, logging, crypto]
        ),
    ]
)
