import ControlPlane
import Foundation
import Settings
import WireFormats

/// What `gatehouse serve` runs without a configuration: a store in a folder, a bucket, and credentials of its own.
enum EmbeddedDefault {
    static let bucket = "demo"
    /// Where its data lies unless somebody says otherwise.
    static let data = "data"
    /// Of the audit log, in the data's folder.
    static let auditLog = ".gatehouse/audit.jsonl"

    /// The configuration that a command is about: the one that it is given, or the one in the current folder; nil: there is
    /// none, and the embedded default is meant.
    static func path(given: String?) -> String? {
        given ?? (FileManager.default.fileExists(atPath: "gatehouse.toml") ? "gatehouse.toml" : nil)
    }

    /// The configuration that the credentials stand for.
    static func configuration(data: String, credentials: CredentialsFile.Credentials) -> String {
        """
        [state]
        store = \(quoted("sqlite:" + data + "/.gatehouse/gatehouse.db"))
        [audit]
        path = \(quoted(data + "/" + auditLog))
        [[accounts]]
        name = "embedded"
        backend_type = "file"
        buckets = ["*"]
        [accounts.backend_options]
        path = \(quoted(data))
        [[buckets]]
        name = "\(bucket)"
        account = "embedded"
        [[users]]
        name = "admin"
        api_key = \(quoted(credentials.apiKey.reveal()))
        role = "admin"
        allowed_buckets = ["*"]
        [[credentials]]
        access_key_id = \(quoted(credentials.accessKeyID))
        secret_access_key = \(quoted(credentials.secretAccessKey.reveal()))
        principal_name = "admin"
        [[credentials.allowed_scopes]]
        bucket = "*"
        actions = ["*"]
        """
    }

    /// As a string of TOML: what JSON escapes, TOML does too (TOML 1.0, "String").
    private static func quoted(_ text: String) -> String { JSONValue.text(text).rendered() }

    /// Lines to paste into a shell.
    static func banner(endpoint: String, console: String, credentials: CredentialsFile.Credentials, data: String)
        -> String
    {
        """
        Gatehouse \(Version.current) serves the bucket "\(bucket)" from \(data) at \(endpoint)

        export AWS_ACCESS_KEY_ID=\(credentials.accessKeyID)
        export AWS_SECRET_ACCESS_KEY=\(credentials.secretAccessKey.reveal())
        export AWS_DEFAULT_REGION=us-east-1
        aws --endpoint-url \(endpoint) s3 cp README.md s3://\(bucket)/
        aws --endpoint-url \(endpoint) s3 ls s3://\(bucket)/

        curl -H 'x-api-key: \(credentials.apiKey.reveal())' -T README.md \(endpoint)/\(bucket)/README.md
        curl -H 'x-api-key: \(credentials.apiKey.reveal())' \(endpoint)/\(bucket)/README.md

        console: \(console) (log in with the API key)

        The credentials are kept in \(data)/.gatehouse/credentials.json. Stop with Ctrl-C.
        """
    }
}
