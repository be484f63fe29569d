/// A user of `[[users]]`: who presents an `x-api-key`, which role they have, and on which buckets.
package struct APIUser: Hashable, Sendable {
    package let name: String
    package let role: UserRole
    package let allowedBuckets: AllowedBuckets

    package init(name: String, role: UserRole, allowedBuckets: AllowedBuckets) {
        self.name = name
        self.role = role
        self.allowedBuckets = allowedBuckets
    }

    /// `user:NAME`.
    package var principal: Principal { .user(name) }
}

/// What a user may do on the buckets that are allowed to them.
package enum UserRole: String, CaseIterable, Sendable {
    /// As ``user``, and the admin API.
    case admin
    /// Read, list, write, delete, share.
    case user
    /// Read and list; a ceiling that no policy or grant lifts.
    case readonly
}

/// `allowed_buckets`: bucket names, or `["*"]` for every bucket.
package enum AllowedBuckets: Hashable, Sendable {
    case every
    case named(Set<String>)

    /// As written in the configuration: `"*"` anywhere in the list means every bucket; an empty list none.
    package init(_ names: [String]) {
        self = names.contains("*") ? .every : .named(Set(names))
    }

    package func contains(_ bucket: String) -> Bool {
        switch self {
        case .every: true
        case .named(let names): names.contains(bucket)
        }
    }
}
