import Foundation
import Settings
import Testing

/// The examples of the repository, with every variable set and the files of `/etc/gatehouse` present.
@Suite struct ExamplesTests {
    @Test(arguments: ["minimal", "two-accounts", "users-and-keys", "policies", "production"])
    func loadsWithoutAProblem(name: String) {
        let result = GatehouseConfiguration.read(Self.folder + name + ".toml", from: Machine())
        #expect(result.problems.isEmpty, "\(result.problems)")
        #expect(result.configuration != nil)
    }

    @Test func noneIsForgotten() throws {
        let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).filter { $0.hasSuffix(".toml") }
        #expect(
            Set(files) == [
                "minimal.toml", "two-accounts.toml", "users-and-keys.toml", "policies.toml", "production.toml",
            ]
        )
    }

    private static let folder: String = {
        let here = URL(filePath: #filePath).resolvingSymlinksInPath()
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()
            + "/Examples/"
    }()

    private struct Machine: ConfigurationSource {
        func read(_ path: String) throws(SourceFailure) -> [UInt8] {
            guard path.hasPrefix("/etc/gatehouse/") else { return try FileSystemSource().read(path) }
            if path.hasSuffix(".crt") { return Array("-----BEGIN CERTIFICATE-----\n".utf8) }
            if path.hasSuffix("tls.key") { return Array("-----BEGIN PRIVATE KEY-----\n".utf8) }
            if path.hasSuffix(".sha256") { return Array((String(repeating: "ab", count: 32) + "\n").utf8) }
            return Array("a-secret-that-is-long-enough\n".utf8)
        }

        func environment(_ name: String) -> String? { "value-of-variable-" + name }

        func files(matching pattern: String) -> [String] { FileSystemSource().files(matching: pattern) }
    }
}
