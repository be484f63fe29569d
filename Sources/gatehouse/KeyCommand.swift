import ArgumentParser
import Crypto
import CryptoExtras
import Identity
import Settings
import WireFormats

struct KeyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "key",
        abstract: "Make keys.",
        subcommands: [New.self]
    )

    struct New: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            commandName: "new",
            abstract: "Make a new random key and print it with the configuration that uses it.",
            discussion: """
                access   an access key id and secret for S3 clients ([[credentials]])
                api      an API key for the x-api-key header ([[users]]); the configuration holds only its hash
                audit    a key for the audit log's HMAC ([audit] hmac_key)
                oidc     a private key that Gatehouse signs its own tokens with ([keys] oidc_provider_keys): RSA of
                         2048 bits, or P-256 with --p256
                session  a key that session tokens are sealed with ([keys] session_token_keys)

                Nothing is stored: what is printed exists only where you put it.
                """
        )

        enum Kind: String, ExpressibleByArgument, CaseIterable {
            case access, api, audit, oidc, session
        }

        @Argument(help: "What the key is for: access, api, audit, oidc or session.") var kind: Kind
        @Option(help: "The principal's or user's name.") var name = "example"
        @Flag(help: "P-256 (ES256) instead of RSA (RS256); not every cloud takes it.") var p256 = false
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            if p256, kind != .oidc { throw ValidationError("--p256 is for \"key new oidc\".") }
            if let fault = PrincipalName.fault(of: name) { throw ValidationError("--name: \(fault.message)") }
        }

        func run() throws {
            switch kind {
            case .access: show(NewKey.access(), toml: NewKey.accessTOML)
            case .api: show(NewKey.api(), toml: NewKey.apiTOML)
            case .audit: show(NewKey.audit(), toml: NewKey.auditTOML)
            case .session: show(NewKey.session(), toml: NewKey.sessionTOML)
            case .oidc: show(try NewKey.oidc(p256 ? .p256 : .rsa), toml: NewKey.oidcTOML)
            }
        }

        private func show(_ key: [(String, String)], toml: ([String: String], String) -> String) {
            if json {
                print(JSONValue.object(key.map { ($0.0, .text($0.1)) }).rendered())
                return
            }
            // A key of several lines stands for itself, ready to be put into a file.
            for (label, value) in key { print(value.hasPrefix("-----") ? value : "\(label) = \(value)") }
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

    static func session() -> [(String, String)] {
        [("session_token_key", Base64.encode(random(SessionKey.byteCount)))]
    }

    enum OIDCKind { case rsa, p256 }

    static func oidc(_ kind: OIDCKind) throws -> [(String, String)] {
        let pem =
            switch kind {
            case .rsa: try _RSA.Signing.PrivateKey(keySize: .bits2048).pkcs8PEMRepresentation
            case .p256: P256.Signing.PrivateKey().pemRepresentation
            }
        let key = try OIDCKey(pem: pem)
        return [("kid", key.id), ("algorithm", key.algorithm.rawValue), ("private_key", pem)]
    }

    static func accessTOML(_ key: [String: String], name: String) -> String {
        """
        [[credentials]]
        access_key_id = "\(key["access_key_id"] ?? "")"
        secret_access_key = "env:\(variable(of: name))_SECRET"
        principal_name = \(JSONValue.text(name).rendered())
        [[credentials.allowed_scopes]]
        bucket = "my-bucket"
        actions = ["read", "list"]
        """
    }

    /// What shells and service managers take for a variable's name.
    private static func variable(of name: String) -> String {
        String(name.uppercased().map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    static func apiTOML(_ key: [String: String], name: String) -> String {
        """
        [[users]]
        name = \(JSONValue.text(name).rendered())
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

    static func sessionTOML(_ key: [String: String], name: String) -> String {
        """
        [keys]
        session_token_keys = ["env:SESSION_TOKEN_KEY"]
        """
    }

    static func oidcTOML(_ key: [String: String], name: String) -> String {
        """
        [keys]
        oidc_provider_keys = ["file:oidc-key.pem"]
        oidc_provider_issuer = "https://files.example.com"
        """
    }

    static func random(_ count: Int) -> [UInt8] {
        SymmetricKey(size: .init(bitCount: count * 8)).withUnsafeBytes { Array($0) }
    }

    private static let base32 = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
}
