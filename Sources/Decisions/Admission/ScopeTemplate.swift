import Identity
public import S3API

/// A scope whose bucket and prefixes may name claims: `[[identity_providers.allowed_scopes]]`, `[[roles.allowed_scopes]]`.
public struct ScopeTemplate: Hashable, Sendable {
    private let bucket: Template
    private let prefixes: [Template]
    private let actions: ActionSet
    private let namesEveryAction: Bool

    /// - Parameters:
    ///   - bucket: a bucket's name, a template of one, or `"*"`.
    ///   - actions: with what they imply.
    ///   - namesEveryAction: `"*"` was among their names.
    public init(
        bucket: String,
        prefixes: [String],
        actions: ActionSet,
        namesEveryAction: Bool
    ) throws(TemplateError) {
        self.bucket = try Template(bucket)
        self.prefixes = try prefixes.map { (prefix) throws(TemplateError) in try Template(prefix) }
        self.actions = actions
        self.namesEveryAction = namesEveryAction
    }

    /// The claims that it asks for.
    public var claimNames: [String] { bucket.names + prefixes.flatMap(\.names) }

    /// The scope that somebody with these claims has; nil where a claim is missing or unusable, or what comes of the
    /// bucket is no bucket's name: then there is no scope, never a wider one.
    public func scope(for claims: [String: String]) -> Scope? {
        let place: Scope.Bucket
        if bucket.source == "*" {
            place = .every
        } else {
            guard let name = (try? bucket.substituting(claims: claims)).flatMap(BucketName.init(validating:)) else {
                return nil
            }
            place = .named(name)
        }
        var resolved: [[UInt8]] = []
        for prefix in prefixes {
            // A prefix that can't be made permits nothing; the others still hold.
            if let bytes = try? prefix.substituting(claims: claims) { resolved.append(bytes) }
        }
        guard resolved.isEmpty == prefixes.isEmpty else { return nil }
        return Scope(bucket: place, prefixes: resolved, actions: actions, namesEveryAction: namesEveryAction)
    }
}
