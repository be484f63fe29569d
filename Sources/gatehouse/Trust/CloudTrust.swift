import ArgumentParser
import Identity
import Settings

/// What a cloud has to be told so that it trusts us for one bucket: exactly our issuer, subject and audience, and exactly
/// that bucket. Holds nothing secret.
protocol CloudTrust {
    /// What a bucket is that it is about.
    static var kind: String { get }

    /// Nil where the bucket's store is none that is asked so.
    init?(_ bucket: BucketConfiguration, issuer: String, permissions: TrustPermissions)

    /// For an administrator: documents and commands.
    var text: String { get }
    var json: JSONValue { get }
}

/// What we shall be able to do there.
enum TrustPermissions {
    case read, readAndWrite
}

extension CloudTrust {
    /// - Throws: where there is no such bucket, or it is of another kind.
    init(of name: String, in configuration: GatehouseConfiguration, permissions: TrustPermissions)
        throws(CommandFailure)
    {
        guard let bucket = configuration.buckets.first(where: { $0.name == name }) else {
            throw CommandFailure("NoSuchBucket", "there is no bucket \(quoted(name)) in the configuration")
        }
        guard let provider = configuration.keys.provider,
            let trust = Self(bucket, issuer: provider.issuer, permissions: permissions)
        else {
            throw CommandFailure(
                "InvalidArgument",
                "the bucket \(quoted(name)) is none \(Self.kind) with auth_type \"oidc\""
            )
        }
        self = trust
    }
}
