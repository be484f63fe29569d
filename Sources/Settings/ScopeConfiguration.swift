package import S3API

/// One entry of `allowed_scopes`: actions on keys of a bucket.
package struct ScopeConfiguration: Sendable {
    /// A bucket's name, or "*" for every bucket.
    package let bucket: String
    /// Empty: the whole bucket. One that ends in `/` is a string prefix; another is a key or a folder.
    package let prefixes: [String]
    package let actions: ActionSet
    /// Whether the actions were given as `["*"]`, which on accounts that own every bucket includes more.
    package let everyAction: Bool
    package let origin: Origin
    /// Where ``bucket`` is written.
    let bucketOrigin: Origin

    init?(reading section: Section) {
        let reader = section.reader
        let bucket = section.required("bucket")
        prefixes = (section.texts("prefixes") ?? []).map(\.value)
        let named = ScopedActions(reading: section)
        origin = section.origin
        section.finish()
        guard let bucket, let named else { return nil }
        actions = named.actions
        everyAction = named.everyAction
        if bucket.value != "*", BucketConfiguration.validName(bucket, reader) == nil { return nil }
        self.bucket = bucket.value
        bucketOrigin = bucket.origin
    }
}

/// The `actions` of a scope.
struct ScopedActions {
    let actions: ActionSet
    let everyAction: Bool

    /// Nil after a problem with the array itself was reported.
    init?(reading section: Section) {
        let reader = section.reader
        if !section.has("actions") { reader.report("is required", at: section.place(of: "actions")) }
        guard let names = section.texts("actions") else { return nil }
        if names.isEmpty {
            reader.report("allows nothing: name actions, or remove the scope", at: section.place(of: "actions"))
        }
        var actions = ActionSet()
        for name in names {
            if let named = ActionSet(named: name.value) {
                actions.formUnion(named)
            } else {
                reader.report(
                    "\(quoted(name.value)) is no action",
                    at: name.origin,
                    suggestion: Self.nearest(to: name.value).map { "did you mean \(quoted($0))?" }
                )
            }
        }
        self.actions = actions
        everyAction = names.contains { $0.value == "*" }
    }

    /// Also for the names of policy documents, `s3:GetObject`.
    private static func nearest(to name: String) -> String? {
        let iam = name.hasPrefix("s3:") ? name : "s3:" + name
        if let action = S3Action.allCases.first(where: { $0.iamName.lowercased() == iam.lowercased() }) {
            return action.rawValue
        }
        return NearestName.find(for: name, among: ActionSet.names)
    }
}
