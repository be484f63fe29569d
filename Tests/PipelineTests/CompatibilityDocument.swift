import S3API

/// `docs/s3-compatibility.md`, written from the closed lists that decide.
struct CompatibilityDocument {
    var text: String {
        ([Self.opening] + sections + [Self.fields, Self.closing]).joined(separator: "\n")
    }

    private static let opening = """
        # What of S3 Gatehouse carries

        Written from the code by `GATEHOUSE_WRITE_DOCS=1 swift test --filter CompatibilityTests`; a test fails where it
        differs, and each cell of the tables has tests of its own. How many cases of a public suite pass is written down in
        [conformance](conformance.md). An operation that is not here, a query parameter or an `x-amz-` header that is not
        known, and anything given twice are answered with 501 `NotImplemented` and never forwarded.

        - **s3**, **gcs**, **azure**, **file**: the kinds of store, `backend_type`. *501*: refused there.
        - **Actions**: all of them must be permitted, as scopes name them. With a `versionId` those after the plus, too.
        - **Group**: the groups of actions that hold them. *named*: in no group; a scope must name the action itself
          (`configure` names all of its kind). `actions = ["*"]` on `bucket = "*"` has `configure`, `create_bucket` and
          `delete_bucket` on accounts with `buckets = ["*"]`.
        - **Body**: the longest document that is read. *bytes*: passed on as they come, up to `max_object_size`.

        """

    // MARK: - Operations

    private var sections: [String] {
        let object = OperationSample.all.filter { $0.scope == .object }
        return [
            Self.table("The service and its buckets") { $0.scope != .object && $0.operation.kind != .configure },
            Self.table("Making and configuring buckets") { $0.operation.kind == .configure },
            Self.paragraph,
            Self.table("Objects") { sample in
                object.contains { $0.operation == sample.operation } && sample.operation.tier != .passThrough
            },
            Self.table("Beside an object's bytes") { $0.scope == .object && $0.operation.tier == .passThrough },
        ]
    }

    private static let paragraph = """
        A bucket with a `backend_prefix`, and one whose backend bucket another entry claims too, can't be configured: 501.

        """

    private static func table(_ title: String, _ isInIt: (OperationSample) -> Bool) -> String {
        let kinds = BackendKind.allCases
        var lines = ["## \(title)", ""]
        lines.append(
            "| operation | request | \(kinds.map(\.rawValue).joined(separator: " | ")) | actions | group | body | |"
        )
        lines.append("|---|---|\(kinds.map { _ in "---|" }.joined())---|---|---|---|")
        for sample in OperationSample.all where isInIt(sample) { lines.append(row(sample, kinds)) }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func row(_ sample: OperationSample, _ kinds: [BackendKind]) -> String {
        let operation = sample.operation
        let cells =
            ["\(operation)".capitalisedFirst, "`\(sample.line)`"]
            + kinds.map { $0.carries(operation) ? "yes" : "501" }
            + [actions(operation), group(operation), body(operation), note(operation)]
        return "| " + cells.joined(separator: " | ") + " |"
    }

    private static func actions(_ operation: S3Operation) -> String {
        func names(_ set: ActionSet) -> String { set.actions.map { "`\($0.rawValue)`" }.joined(separator: ", ") }
        let more = operation.versionActions.subtracting(operation.actions)
        return names(operation.actions) + (more.isEmpty ? "" : " + " + names(more))
    }

    private static func group(_ operation: S3Operation) -> String {
        let groups: [(String, ActionSet)] = [
            ("read", .read), ("list", .list), ("write", .write), ("delete", .delete), ("configure", .configure),
        ]
        return groups.first { operation.actions.isSubset(of: $0.1) }?.0 ?? "named"
    }

    private static func body(_ operation: S3Operation) -> String {
        switch operation.bodyHandling {
        case .none: "none"
        case .stream: "bytes"
        case .collect(let limit): limit % (1 << 20) == 0 ? "\(limit >> 20) MiB" : "\(limit >> 10) KiB"
        }
    }

    /// What a reader of S3's own reference would not expect.
    private static func note(_ operation: S3Operation) -> String {
        switch operation {
        case .listBuckets: "what the caller may list of it"
        case .getBucketLocation, .headBucket: "the region that clients sign for"
        case .createBucket, .deleteBucket: "accounts with `buckets = [\"*\"]`; a name of the configuration is taken"
        case .deleteObjects: "decided key by key; `delete_object_version` where the key has a version"
        case .copyObject, .uploadPartCopy: "and `get_object` at the source"
        case .putBucketPolicy: "resources under the client's bucket name; 400 where they can't be renamed"
        case .getBucketPolicy: "resources under the client's bucket name; 501 where they can't be renamed"
        case .putBucketNotification: "only an empty document: targets are refused"
        case .restoreObject: "only in place: `Type`, `SelectParameters` and `OutputLocation` are refused"
        case .selectObjectContent: "the event stream passes as it comes"
        case .postObject: "the credential is in the form"
        case .completeMultipartUpload:
            "501 with a condition at `gcs`, where [none can be kept](decisions/0015-google-cloud-storage-is-asked-in-xml.md)"
        default: ""
        }
    }

    // MARK: - Fields

    private static var fields: String {
        let table = AmzField.allCases.compactMap { field -> String? in
            let own = field.ownOperation.map { "\($0)".capitalisedFirst + " only" }
            let note: String
            switch field.carriage {
            case .carried: note = own ?? ""
            case .withCopy: note = own ?? "copies only"
            case .dropped, .ofTheBody: return nil
            }
            let actions = added(by: field).actions.map { "`\($0.rawValue)`" }.joined(separator: ", ")
            return "| `\(field.rawValue)` | \(actions) | \(note) |"
        }
        return """
            ## Request headers

            Carried to the store, besides user metadata, conditions, ranges and content headers; all of them signed. Those
            that list values may be repeated, any other only once. A signing SDK may put them into the query.

            | header | adds | |
            |---|---|---|
            \(table.joined(separator: "\n"))

            """
    }

    /// What the field adds where several operations have it; found by asking.
    private static func added(by field: AmzField) -> ActionSet {
        let operation = field.ownOperation ?? .putObject
        let sample = OperationSample(of: operation)
        let length = sample.body.map { Int64($0.utf8.count) }
        var call = Call(sample.method, sample.target(in: "bucket"), [(field.rawValue, "/b-b/k")], length: length)
        if field.carriage == .withCopy { call = Call("PUT", "/bucket/key", [("x-amz-copy-source", "/b-b/k")]) }
        let request = try? call.classified()
        return request.map { $0.actions.subtracting($0.operation.actions) } ?? []
    }

    // MARK: - Answers

    private static let closing = """
        ## Keys

        A key is any UTF-8 of at most 1024 bytes without a NUL and without `.` and `..` between slashes or backslashes: those
        are 400. Every other key reaches the store byte for byte. AWS, Google and the embedded store keep each as an object
        of its own. Other stores may not: SeaweedFS takes `a\\b`, `a//b` and `/a/b` for `a/b`. There a key is permitted if it
        is permitted as it stands and as `a/b`, a listing's prefix likewise, and a key of slashes alone is denied; at Azure a
        backslash is 400. `gatehouse doctor` says of each store what it does.

        ## Answers

        Every header of a store's answer reaches the client, but for those about the connection, cookies, challenges and
        forwarding, the store's own request ids, and the ARN of its bucket. Errors keep the store's code and status, with
        the client's bucket and key. A `200` that turns out to hold an error (CompleteMultipartUpload, CopyObject,
        UploadPartCopy, DeleteObjects) is answered with that error's status; white space before the document is ignored.

        ## Keys that the client keeps (SSE-C)

        The headers pass both ways and are never logged. S3 takes them over TLS only. Gatehouse does not hide from a store
        reached over TLS that its client's connection is not: such a request is 400 `InvalidRequest`. A store reached
        without TLS says itself what it thinks of it.

        """
}

extension String {
    /// `getBucketACL` → `GetBucketACL`
    fileprivate var capitalisedFirst: String {
        prefix(1).uppercased() + dropFirst()
    }
}
