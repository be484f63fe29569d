import Identity
import S3API

extension UserRole {
    /// What the role permits on the user's buckets.
    var actions: ActionSet {
        switch self {
        case .readonly: .readOnlyCeiling
        case .user, .admin: .usersOwn
        }
    }
}

extension ActionSet {
    /// All groups, and sharing with others.
    fileprivate static let usersOwn: ActionSet = [.all, ActionSet(.share), ActionSet(.shareLink)]
    /// What tells that a bucket is there, and no more.
    static let existence = ActionSet([.headBucket, .getBucketLocation])
    /// `anonymous_access = true`: objects, their heads, and the listing; HEAD of a bucket, which S3 also calls
    /// s3:ListBucket.
    static let anonymous = ActionSet([.getObject, .headObject, .listBucket, .headBucket])

    /// The first action in the order of their declaration, found without listing them.
    var first: S3Action? {
        isEmpty ? nil : S3Action.allCases.first { contains($0) }
    }
}
