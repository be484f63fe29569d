import Foundation
import Samples
import Settings
import Testing

/// The examples of the repository, with every variable set and the files of `/etc/gatehouse` present.
@Suite struct ExamplesTests {
    @Test(arguments: examples) func loadsWithoutAProblem(file: String) {
        let result = GatehouseConfiguration.read(Self.folder + file, from: Machine())
        #expect(result.problems.isEmpty, "\(result.problems)")
        #expect(result.configuration != nil)
    }

    @Test func theExamplesAreFound() {
        #expect(Set(Self.examples).isSuperset(of: ["minimal.toml", "production.toml"]))
    }

    private static let examples: [String] =
        ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).filter { $0.hasSuffix(".toml") }.sorted()

    private static let folder: String = {
        let here = URL(filePath: #filePath).resolvingSymlinksInPath()
        return here.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path()
            + "/Examples/"
    }()

    private struct Machine: ConfigurationSource {
        func read(_ path: String) throws(SourceFailure) -> [UInt8] {
            guard path.hasPrefix("/etc/gatehouse/") else { return try FileSystemSource().read(path) }
            if path.hasSuffix(".crt") { return Array(PEMSample.certificate.utf8) }
            if path.hasSuffix("tls.key") { return Array(PEMSample.certificateKey.utf8) }
            if path.hasSuffix(".sha256") { return Array((String(repeating: "ab", count: 32) + "\n").utf8) }
            return Array("a-secret-that-is-long-enough\n".utf8)
        }

        /// All that a file may name, and none of those that mean something by themselves.
        func environment(_ name: String) -> String? {
            let alone = ["SESSION_TOKEN_KEY", "OIDC_PROVIDER_KEY", "OIDC_PROVIDER_ISSUER"]
            return alone.contains(name) ? nil : "value-of-variable-" + name
        }

        func files(matching pattern: String) -> [String] { FileSystemSource().files(matching: pattern) }
    }
}
