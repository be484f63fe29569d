import Admission
import Identity

/// What can only be checked once everything is read: names that must exist.
enum References {
    static func check(_ configuration: GatehouseConfiguration, _ reader: ConfigurationReader) {
        for credential in configuration.credentials {
            for scope in credential.scopes { requireBucket(scope.bucket, at: scope.bucketOrigin, reader) }
        }
        for user in configuration.users {
            for bucket in user.bucketNames { requireBucket(bucket.value, at: bucket.origin, reader) }
        }
        for (name, origin) in configuration.uploads.eventTokenOrigins { requireSource(name, at: origin, reader) }
        for provider in configuration.identityProviders {
            for scope in provider.scopes where !scope.bucket.contains("{") {
                requireBucket(scope.bucket, at: scope.bucketOrigin, reader)
            }
        }
        for role in configuration.roles {
            for scope in role.scopes where !scope.bucket.contains("{") {
                requireBucket(scope.bucket, at: scope.bucketOrigin, reader)
            }
            for (pattern, origin) in zip(role.role.trust.principals, role.principalOrigins) {
                requirePrincipal(pattern, at: origin, reader)
            }
        }
        for bucket in configuration.buckets {
            for role in bucket.allowedRoles ?? [] { reader.require(role.value, as: .role, at: role.origin, "role") }
        }
        for route in configuration.routes where route.bucket.isConstant {
            requireBucket(route.bucket.source, at: route.bucketOrigin, reader)
        }
        for policy in configuration.policies {
            for (pattern, origin) in zip(policy.appliesTo, policy.patternOrigins) {
                requirePrincipal(pattern, at: origin, reader)
            }
        }
    }

    /// Whose events a token is for: an account, or a bucket.
    private static func requireSource(_ name: String, at origin: Origin, _ reader: ConfigurationReader) {
        guard !reader.names.contains("*", as: .bucket) else { return }
        reader.require(name, as: .account, .bucket, at: origin, "account and no bucket")
    }

    /// Where an account has every bucket that no other entry claims, every name exists.
    private static func requireBucket(_ name: String, at origin: Origin, _ reader: ConfigurationReader) {
        guard name != "*", !reader.names.contains("*", as: .bucket) else { return }
        reader.require(name, as: .bucket, at: origin, "bucket")
    }

    /// A pattern without wildcards must name somebody.
    private static func requirePrincipal(
        _ pattern: PrincipalPattern,
        at origin: Origin,
        _ reader: ConfigurationReader
    ) {
        let text = pattern.text
        if let rest = text.removing(prefix: "idp:") {
            let name = String(rest.prefix { $0 != ":" })
            if !name.contains("*") { reader.require(name, as: .identityProvider, at: origin, "identity provider") }
            return
        }
        if let rest = text.removing(prefix: "role:") {
            let id = String(rest.prefix { $0 != ":" })
            if !id.contains("*") { reader.require(id, as: .role, at: origin, "role") }
            return
        }
        guard !text.contains("*") else { return }
        if let name = text.removing(prefix: "user:") {
            reader.require(name, as: .user, at: origin, "user")
        } else if let name = text.removing(prefix: "key:") {
            reader.require(name, as: .principal, at: origin, "access key with principal_name")
        }
    }
}
