import ArgumentParser
import Crypto
import Identity
import Settings
import WireFormats

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make keys.",
        subcommands: [New.self]
    )

    struct New: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "new",
            abstract: "Make a new random key and print it with the configuration that uses it.",
            discussion: """
                access   an access key id and secret for S3 clients ([[credentials]])
                api      an API key for the x-api-key header ([[users]]); the configuration holds only its hash
                audit    a key for the audit log's HMAC ([audit] hmac_key)

                Nothing is stored: what is printed exists only where you put it.
                """
        )

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case access, api, audit
        }

        @Argument(help: "What the key is for: access, api or audit.") var kind: Kind
        @Option(help: "The principal's or user's name.") var name = "example"
        @Flag(help: "Print JSON.") var json = false

        func run() {
            switch kind {
            case .access: show(NewKey.access(), toml: NewKey.accessTOML)
            case .api: show(NewKey.api(), toml: NewKey.apiTOML)
            case .audit: show(NewKey.audit(), toml: NewKey.auditTOML)
            }
        }

        private func show(_ key: [(String, String)], toml: ([String: String], String) -> String) {
            if json {
                print(JSONValue.object(key.map { ($0.0, .text($0.1)) }).rendered())
                return
            }
            for (label, value) in key { print("\(label) = \(value)") }
            print("")
            print(toml(Dictionary(key, uniquingKeysWith: { first, _ in first }), name))
        }
    }
}

/// New random keys, as label and value.
enum NewKey {
    /// An id in the shape that SDKs expect, and a secret of 240 random bits.
    static func access() -> [(String, String)] {
        let id = "AKGH" + String(random(16).map { base32[Int($0 & 31)] })
        return [("access_key_id", id), ("secret_access_key", Base64URL.encode(random(30)))]
    }

    /// 256 random bits.
    static func api() -> [(String, String)] {
        let key = "gh_" + Base64URL.encode(random(32))
        return [("api_key", key), ("api_key_sha256", Hex.encode(APIKeyDigest(of: key.utf8).bytes))]
    }

    static func audit() -> [(String, String)] {
        [("hmac_key", Base64.encode(random(32)))]
    }

    static func accessTOML(_ key: [String: String], name: String) -> String {
        """
        [[credentials]]
        access_key_id = "\(key["access_key_id"] ?? "")"
        secret_access_key = "env:\(name.uppercased())_SECRET"
        principal_name = "\(name)"
        [[credentials.allowed_scopes]]
        bucket = "my-bucket"
        actions = ["read", "list"]
        """
    }

    static func apiTOML(_ key: [String: String], name: String) -> String {
        """
        [[users]]
        name = "\(name)"
        api_key_sha256 = "\(key["api_key_sha256"] ?? "")"
        role = "user"
        allowed_buckets = ["my-bucket"]
        """
    }

    static func auditTOML(_ key: [String: String], name: String) -> String {
        """
        [audit]
        hmac_key = "env:AUDIT_HMAC_KEY"
        """
    }

    static func random(_ count: Int) -> [UInt8] {
        SymmetricKey(size: .init(bitCount: count * 8)).withUnsafeBytes { Array($0) }
    }

    private static let base32 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}
