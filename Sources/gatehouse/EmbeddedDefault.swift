import ControlPlane
import Settings
import WireFormats

/// What `gatehouse serve` runs without a configuration: a store in a folder, a bucket, and credentials of its own.
enum EmbeddedDefault {
    static let bucket = "demo"

    /// The configuration that the credentials stand for.
    static func configuration(data: String, credentials: CredentialsFile.Credentials) -> String {
        """
        [state]
        store = "sqlite:\(data)/.gatehouse/gatehouse.db"
        [audit]
        path = "\(data)/.gatehouse/audit.jsonl"
        [[accounts]]
        name = "embedded"
        backend_type = "file"
        buckets = ["*"]
        [accounts.backend_options]
        path = "\(data)"
        [[buckets]]
        name = "\(bucket)"
        account = "embedded"
        [[users]]
        name = "admin"
        api_key = "\(credentials.apiKey.reveal())"
        role = "admin"
        allowed_buckets = ["*"]
        [[credentials]]
        access_key_id = "\(credentials.accessKeyID)"
        secret_access_key = "\(credentials.secretAccessKey.reveal())"
        principal_name = "admin"
        [[credentials.allowed_scopes]]
        bucket = "*"
        actions = ["*"]
        """
    }

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
