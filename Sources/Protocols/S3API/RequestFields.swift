public import HTTP1
import WireFormats

/// What a request's `x-amz-` fields say about the operation; those that a signing SDK moved into the query count too.
struct RequestFields {
    private var present = EnumerationSet<AmzField>()
    private(set) var copySource: CopySource?
    /// A field is there that only a copy has.
    private(set) var isCopyOnly = false

    /// - Throws: `NotImplemented` for a field that is not known, `InvalidRequest` for one that is repeated,
    ///   `InvalidArgument` for one in the query that no header can be, what ``CopySource`` throws.
    /// - Parameters:
    ///   - query: nil where it is known to hold no fields.
    ///   - version2: botocore's version 2 puts its fields into the URL and asks for them in the head as well: the same
    ///     value in both places is one field.
    ///   - rules: which keys may be copied from.
    init(_ fields: FieldBlock, _ query: Query?, version2: Bool, rules: KeyRules) throws(S3Error) {
        for entry in fields.entries where fields.hasPrefix(entry, "x-amz-") {
            try note(fields.name(entry), fields.value(entry), rules)
        }
        guard let query else { return }
        try query.forEach { (name, value, _) throws(S3Error) in
            guard hasAmzPrefix(name), case .hoistedHeader = ForeignParameter(name: name) else { return }
            guard Token.isSpelt(by: name) else {
                throw S3Error(.invalidArgument, "A field given in the query has a name that no header can have.")
            }
            guard value.allSatisfy({ $0 > 0x1F && $0 != 0x7F }) else {
                throw S3Error(.invalidArgument, "A field given in the query contains a control character.")
            }
            guard !version2 || !fields.holds(name, value) else { return }
            try note(name, value, rules)
        }
    }

    private mutating func note(
        _ name: ArraySlice<UInt8>,
        _ value: ArraySlice<UInt8>,
        _ rules: KeyRules
    ) throws(S3Error) {
        guard let field = AmzField(name: name) else {
            guard isUserMetadata(name) else {
                throw S3Error(.notImplemented, "A header you provided implies functionality that is not implemented")
            }
            return
        }
        guard present.insert(field) || field.mayRepeat else {
            throw S3Error(.invalidRequest, "\(field.rawValue) was given more than once.")
        }
        switch field.carriage {
        case .carried, .dropped, .ofTheBody: return
        case .withCopy:
            isCopyOnly = true
            if field == .copySource { copySource = try CopySource(parsing: value, rules: rules) }
        }
    }

    /// - Throws: `NotImplemented` for a field that only another operation has.
    func check(for operation: S3Operation) throws(S3Error) {
        let bound = present.intersection(AmzField.ofOneOperation)
        guard !bound.isEmpty else { return }
        for field in AmzField.allCases where bound.contains(field) && field.ownOperation != operation {
            throw S3Error(.notImplemented, "\(field.rawValue) does not belong to this operation.")
        }
    }

    /// A customer's own encryption key is among them.
    var haveCustomerKey: Bool { !present.intersection(AmzField.customerKeys).isEmpty }

    /// The actions that the fields add to an operation's own.
    func actions(for operation: S3Operation) -> ActionSet {
        guard !present.isEmpty else { return [] }
        var actions: ActionSet = []
        if !present.intersection(Self.permissions).isEmpty {
            switch operation {
            case .createBucket, .putBucketACL: actions.formUnion(ActionSet(.putBucketACL))
            default: actions.formUnion(ActionSet(.putObjectACL))
            }
        }
        if present.contains(.tagging) { actions.formUnion(ActionSet(.putObjectTagging)) }
        if present.contains(.objectLockMode) || present.contains(.objectLockRetainUntil) {
            actions.formUnion(ActionSet(.putObjectRetention))
        }
        if present.contains(.objectLockLegalHold) { actions.formUnion(ActionSet(.putObjectLegalHold)) }
        if present.contains(.bypassGovernance) { actions.formUnion(ActionSet(.bypassGovernance)) }
        if present.contains(.bucketObjectLockEnabled) {
            actions.formUnion(ActionSet([.putBucketObjectLock, .putBucketVersioning]))
        }
        // Whether ACLs count at all.
        if present.contains(.objectOwnership) { actions.formUnion(ActionSet(.putBucketOwnership)) }
        return actions
    }

    private static let permissions = EnumerationSet<AmzField>([
        .acl, .grantFullControl, .grantRead, .grantReadACP, .grantWrite, .grantWriteACP,
    ])
}

extension FieldBlock {
    /// Whether there is a field of that name, in any case, with exactly that value.
    public func holds(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) -> Bool {
        entries.contains { entry in
            entry.name.count == name.count && self.value(entry) == value
                && self.name(entry).elementsEqual(name, by: { lowered($0) == lowered($1) })
        }
    }
}

/// Whether the name is `x-amz-meta-...`, in any case, with something after it.
public func isUserMetadata(_ name: ArraySlice<UInt8>) -> Bool {
    let prefix = "x-amz-meta-".utf8.count
    return name.count > prefix && equalsIgnoringCase(name.prefix(prefix), "x-amz-meta-")
}
