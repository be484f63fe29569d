public import S3API

/// What a credential permits in one bucket, or in all of them: `[[credentials.allowed_scopes]]`.
///
/// A prefix that ends in `/`, or is empty, is a prefix of keys. Any other is a key or a folder: `a` covers the key `a`
/// and `a/b`, not `ab`. All comparisons are of bytes.
public struct Scope: Hashable, Sendable {
    public enum Bucket: Hashable, Sendable {
        case every
        case named(BucketName)
    }

    public let bucket: Bucket
    /// Empty: the whole bucket.
    public let prefixes: [[UInt8]]
    /// With what the named actions imply.
    public let actions: ActionSet
    /// `"*"` was among the names: with bucket `"*"`, buckets may be created and configured where the account owns
    /// every bucket.
    private let namesEveryAction: Bool

    /// - Parameters:
    ///   - bucket: A bucket's name, or `"*"`.
    ///   - actions: Names as ``ActionSet/init(named:)`` takes them.
    public init(bucket: String, prefixes: [String] = [], actions: [String]) throws(ScopeError) {
        if bucket == "*" {
            self.bucket = .every
        } else {
            guard let name = BucketName(validating: bucket) else { throw .invalidBucket(bucket) }
            self.bucket = .named(name)
        }
        if let long = prefixes.first(where: { $0.utf8.count > ObjectKey.maximumLength }) { throw .prefixTooLong(long) }
        self.prefixes = prefixes.map { Array($0.utf8) }
        var set: ActionSet = []
        for name in actions {
            guard let named = ActionSet(named: name) else { throw .unknownAction(name) }
            set.formUnion(named)
        }
        self.actions = set
        namesEveryAction = actions.contains("*")
    }

    /// - Parameters:
    ///   - actions: With what they imply.
    ///   - namesEveryAction: `"*"` was among their names.
    public init(bucket: Bucket, prefixes: [[UInt8]], actions: ActionSet, namesEveryAction: Bool) {
        self.bucket = bucket
        self.prefixes = prefixes
        self.actions = actions
        self.namesEveryAction = namesEveryAction
    }

    /// The actions that this scope permits there; empty outside of it.
    func permitted(at target: AccessQuestion.Target, _ facts: AccessQuestion.BucketFacts) -> ActionSet {
        guard let name = target.bucket, covers(name) else { return [] }
        switch target {
        case .service:
            return []
        case .object(_, let key):
            guard isWholeBucket || prefixes.contains(where: { key.bytes.isWithin($0) }) else { return [] }
            return administers(facts) ? actions.union(.administerObjects) : actions
        case .listing(_, let prefix):
            return isWholeBucket || prefixes.contains { prefix.isInFolder($0) } ? actions : []
        case .bucket:
            // Who may touch a part of a bucket may know that it is there, and not change it as a whole.
            guard isWholeBucket else { return actions.intersection(.existence) }
            return administers(facts) ? actions.union(.administerBuckets) : actions
        }
    }

    /// Why it does not permit an action there; nil where it does.
    public func shortfall(
        of action: S3Action,
        at target: AccessQuestion.Target,
        _ facts: AccessQuestion.BucketFacts
    ) -> Shortfall? {
        guard let name = target.bucket, covers(name) else { return .otherBucket }
        if permitted(at: target, facts).contains(action) { return nil }
        return actions.contains(action) ? .outsidePrefixes : .notNamed
    }

    /// What a scope lacks.
    public enum Shortfall: Hashable, Sendable {
        /// It is about another bucket.
        case otherBucket
        /// It names the action, and covers a part of the bucket that what is asked for is not in.
        case outsidePrefixes
        /// It does not name the action.
        case notNamed
    }

    /// Whether `"*"` was said of everything that an account has which owns every bucket.
    private func administers(_ facts: AccessQuestion.BucketFacts) -> Bool {
        isWholeBucket && bucket == .every && namesEveryAction && facts.accountOwnsEveryBucket
    }

    /// Whether some listing of the bucket is permitted: whether ListBuckets shows it.
    func permitsListingSomething(in name: BucketName) -> Bool {
        actions.contains(.listBucket) && covers(name)
    }

    private func covers(_ name: BucketName) -> Bool {
        switch bucket {
        case .every: true
        case .named(let own): own == name
        }
    }

    private var isWholeBucket: Bool { prefixes.isEmpty || prefixes.contains { $0.isEmpty } }
}

extension [UInt8] {
    /// Whether a key lies within a scope's prefix.
    fileprivate func isWithin(_ prefix: [UInt8]) -> Bool {
        guard starts(with: prefix) else { return false }
        return count == prefix.count || prefix.isFolder || self[prefix.count] == UInt8(ascii: "/")
    }

    /// Whether a listing's prefix lies within a scope's prefix taken as a folder: `a` permits `a/`, not `a`.
    fileprivate func isInFolder(_ prefix: [UInt8]) -> Bool {
        guard starts(with: prefix) else { return false }
        return prefix.isFolder || count > prefix.count && self[prefix.count] == UInt8(ascii: "/")
    }

    private var isFolder: Bool { last == nil || last == UInt8(ascii: "/") }
}

/// What is wrong with a scope in the configuration.
public enum ScopeError: Error, Hashable, Sendable, CustomStringConvertible {
    case invalidBucket(String)
    case unknownAction(String)
    case prefixTooLong(String)

    public var description: String {
        switch self {
        case .invalidBucket(let name): "'\(name)' is neither a bucket's name nor \"*\""
        case .unknownAction(let name): "'\(name)' is no action and no group of actions"
        case .prefixTooLong: "a prefix is longer than a key can be (\(ObjectKey.maximumLength) bytes)"
        }
    }
}
