/// A set of ``S3Action``s in two words: what a request needs, or what a scope permits.
public struct ActionSet: OptionSet, Hashable, Sendable {
    public let rawValue: UInt128

    public init(rawValue: UInt128) {
        self.rawValue = rawValue
    }

    public init(_ action: S3Action) {
        rawValue = 1 << UInt128(EnumerationSet<S3Action>.ordinal(action))
    }

    public init(_ actions: some Sequence<S3Action>) {
        rawValue = actions.reduce(0) { $0 | ActionSet($1).rawValue }
    }

    public func contains(_ action: S3Action) -> Bool {
        rawValue & ActionSet(action).rawValue != 0
    }

    /// The actions in the order of their declaration.
    public var actions: [S3Action] {
        S3Action.allCases.filter { contains($0) }
    }
}

extension ActionSet {
    public static let read = ActionSet([
        .getObject, .headObject, .getObjectVersion, .getObjectTagging, .getObjectVersionTagging,
        .getObjectAttributes, .getObjectVersionAttributes,
    ])
    public static let list = ActionSet([
        .listBucket, .listVersions, .listUploads, .listParts, .headBucket, .getBucketLocation, .listAllMyBuckets,
    ])
    public static let write = ActionSet([
        .putObject, .multipart, .abortMultipartUpload, .putObjectTagging, .putObjectVersionTagging,
        .deleteObjectTagging, .deleteObjectVersionTagging,
    ])
    public static let delete = ActionSet([.deleteObject, .deleteObjectVersion])
    /// The groups together, which `"*"` in a scope means; what is in no group is not in it.
    public static let all: ActionSet = [read, list, write, delete]
    /// Bucket-level configuration, which must be named.
    public static let configure = ActionSet([
        .getBucketVersioning, .putBucketVersioning, .getBucketTagging, .putBucketTagging, .getBucketACL,
        .putBucketACL, .getBucketCORS, .putBucketCORS, .getBucketLifecycle, .putBucketLifecycle, .getBucketPolicy,
        .putBucketPolicy, .deleteBucketPolicy, .getBucketPolicyStatus, .getBucketNotification,
        .putBucketNotification, .getBucketObjectLock, .putBucketObjectLock, .getBucketEncryption,
        .putBucketEncryption, .getBucketWebsite, .putBucketWebsite, .deleteBucketWebsite, .getBucketOwnership,
        .putBucketOwnership, .getPublicAccessBlock, .putPublicAccessBlock, .getBucketReplication, .getBucketLogging,
        .getBucketRequestPayment, .getBucketAccelerate,
    ])
    /// What `actions = ["*"]` with `bucket = "*"` adds on accounts that own every bucket.
    public static let administerBuckets: ActionSet = [
        configure, ActionSet(.createBucket), ActionSet(.deleteBucket),
    ]
    /// What the same adds on objects there: what they are protected by and who owns them, never to pass over it.
    public static let administerObjects = ActionSet([
        .getObjectACL, .getObjectVersionACL, .putObjectACL, .putObjectVersionACL, .getObjectRetention,
        .putObjectRetention, .getObjectLegalHold, .putObjectLegalHold, .restoreObject,
    ])
    /// What `readonly` principals are held to, whatever else permits more: reading and listing.
    public static let readOnlyCeiling: ActionSet = [read, list]

    /// The actions that a name in a scope means, with those that it implies: an action in snake case, a group
    /// (`read`, `list`, `write`, `delete`, `*`), `configure`, or the name of one step of a multipart upload.
    /// Nil: no such name.
    public init?(named name: String) {
        switch name {
        case "read": self = .read
        case "list": self = .list
        case "write": self = .write
        case "delete": self = .delete
        case "*": self = .all
        case "configure": self = .configure
        case "multipart": self = ActionSet([.multipart, .abortMultipartUpload])
        case "create_multipart_upload", "upload_part", "complete_multipart_upload": self = ActionSet(.multipart)
        default:
            guard let action = S3Action(rawValue: name) else { return nil }
            self = ActionSet(action).withImplied
        }
    }

    /// With what each action brings along: who may get an object may ask for its head, who may put one may do so in
    /// parts, who may list a bucket may ask whether it exists and where.
    public var withImplied: ActionSet {
        var result = self
        if contains(.getObject) { result.insert(ActionSet(.headObject)) }
        if contains(.putObject) { result.insert(ActionSet([.multipart, .abortMultipartUpload])) }
        if contains(.listBucket) { result.insert(ActionSet([.headBucket, .getBucketLocation])) }
        return result
    }

    /// Every name that a scope may use, for suggestions.
    public static let names: [String] =
        ["read", "list", "write", "delete", "*", "configure"]
        + S3Action.allCases.map(\.rawValue).filter { $0 != "multipart" }
        + ["multipart", "create_multipart_upload", "upload_part", "complete_multipart_upload"]
}
