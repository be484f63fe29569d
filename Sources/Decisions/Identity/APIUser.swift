/// A user of `[[users]]`: who presents an `x-api-key`, which role they have, and on which buckets.
public struct APIUser: Hashable, Sendable {
    public let name: String
    public let role: UserRole
    public let allowedBuckets: AllowedBuckets

    public init(name: String, role: UserRole, allowedBuckets: AllowedBuckets) {
        self.name = name
        self.role = role
        self.allowedBuckets = allowedBuckets
    }

    /// `user:NAME`.
    public var principal: Principal { .user(name) }
}

/// What a user may do on the buckets that are allowed to them.
public enum UserRole: String, CaseIterable, Sendable {
    /// As ``user``, and the admin API.
    case admin
    /// Read, list, write, delete, share.
    case user
    /// Read and list; a ceiling that no policy or grant lifts.
    case readonly
}

/// `allowed_buckets`: bucket names, or `["*"]` for every bucket.
public enum AllowedBuckets: Hashable, Sendable {
    case every
    case named(Set<String>)

    /// As written in the configuration: `"*"` anywhere in the list means every bucket; an empty list none.
    public init(_ names: [String]) {
        self = names.contains("*") ? .every : .named(Set(names))
    }

    public func contains(_ bucket: String) -> Bool {
        switch self {
        case .every: true
        case .named(let names): names.contains(bucket)
        }
    }
}
