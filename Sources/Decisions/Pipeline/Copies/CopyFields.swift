import HTTP1
import S3API
import WireFormats

/// What a copy's request says beyond its two ends: directives, conditions on either side, and how the new object is to
/// be kept. Fields that an SDK moved into its signed query count as fields.
struct CopyFields: Sendable {
    enum Directive: Sendable {
        case copy
        case replace
    }

    private let sent: FieldBlock
    let metadata: Directive
    let tagging: Directive

    /// - Throws: `InvalidArgument` for a directive that is neither.
    init(_ head: RequestHead, _ query: Query) throws(S3Error) {
        var sent = head.fields
        query.forEach { name, value, _ in
            if let field = AmzField(name: name) {
                sent.append(field.rawValue.utf8, value)
            } else if isUserMetadata(name) {
                sent.append(name.map { lowered($0) }, value)
            }
        }
        self.sent = sent
        metadata = try Self.directive(sent.first("x-amz-metadata-directive"), "metadata")
        tagging = try Self.directive(sent.first("x-amz-tagging-directive"), "tagging")
    }

    private static func directive(_ value: ArraySlice<UInt8>?, _ what: String) throws(S3Error) -> Directive {
        guard let value else { return .copy }
        if value.elementsEqual("COPY".utf8) { return .copy }
        if value.elementsEqual("REPLACE".utf8) { return .replace }
        throw S3Error(.invalidArgument, "Unknown \(what) directive.")
    }

    func first(_ name: StaticString) -> ArraySlice<UInt8>? { sent.first(name) }

    // MARK: - Towards the source

    /// What goes along with every request to the source: keys of the caller and remarks about the bucket.
    func appendSourceAccess(to fields: inout FieldBlock) {
        for (name, theirs) in Self.sourceAccess {
            if let value = sent.first(name) { fields.append(theirs, value) }
        }
    }

    /// The copy's conditions on its source, as that store reads them.
    func appendSourceConditions(to fields: inout FieldBlock) {
        for (name, theirs) in Self.sourceConditions {
            if let value = sent.first(name) { fields.append(theirs, value) }
        }
    }

    private static let sourceAccess: [(StaticString, StaticString)] = [
        (
            "x-amz-copy-source-server-side-encryption-customer-algorithm",
            "x-amz-server-side-encryption-customer-algorithm"
        ),
        ("x-amz-copy-source-server-side-encryption-customer-key", "x-amz-server-side-encryption-customer-key"),
        ("x-amz-copy-source-server-side-encryption-customer-key-md5", "x-amz-server-side-encryption-customer-key-md5"),
        ("x-amz-source-expected-bucket-owner", "x-amz-expected-bucket-owner"),
        ("x-amz-request-payer", "x-amz-request-payer"),
    ]
    private static let sourceConditions: [(StaticString, StaticString)] = [
        ("x-amz-copy-source-if-match", "if-match"),
        ("x-amz-copy-source-if-none-match", "if-none-match"),
        ("x-amz-copy-source-if-modified-since", "if-modified-since"),
        ("x-amz-copy-source-if-unmodified-since", "if-unmodified-since"),
    ]

    // MARK: - Towards the destination

    /// What goes along with every request about the new object.
    func appendAccess(to fields: inout FieldBlock) {
        append(Self.access, to: &fields)
    }

    /// Whether the new object is made only under conditions.
    var isConditional: Bool { sent.first("if-match") != nil || sent.first("if-none-match") != nil }

    func appendConditions(to fields: inout FieldBlock) {
        append(["if-match", "if-none-match"], to: &fields)
    }

    /// How the new object is described: by its source or by the request.
    func appendDescription(of source: CopiedObject, tags: [UInt8]?, to fields: inout FieldBlock) {
        append(Self.keeping, to: &fields)
        let description = metadata == .copy ? source.fields : sent
        for name in Self.content {
            if let value = description.first(name) { fields.append(name, value) }
        }
        for entry in description.entries where isUserMetadata(description.name(entry)) {
            fields.append(entry, of: description, lowercasing: .name)
        }
        let tags = tagging == .copy ? tags : sent.first("x-amz-tagging").map(Array.init)
        if let tags, !tags.isEmpty { fields.append("x-amz-tagging", tags) }
    }

    /// Whether the request asks for anything that would make a copy of an object onto itself differ from it.
    var changesAnything: Bool {
        metadata == .replace || tagging == .replace || Self.keeping.contains { sent.first($0) != nil }
            || Self.access.prefix(3).contains { sent.first($0) != nil }
    }

    private func append(_ names: [StaticString], to fields: inout FieldBlock) {
        for name in names {
            for entry in sent.entries where sent.isNamed(entry, name) { fields.append(name, sent.value(entry)) }
        }
    }

    private static let access: [StaticString] = [
        "x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key-md5", "x-amz-expected-bucket-owner", "x-amz-request-payer",
    ]
    private static let keeping: [StaticString] = [
        "x-amz-acl", "x-amz-grant-full-control", "x-amz-grant-read", "x-amz-grant-read-acp", "x-amz-grant-write-acp",
        "x-amz-storage-class", "x-amz-website-redirect-location", "x-amz-server-side-encryption",
        "x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-context",
        "x-amz-server-side-encryption-bucket-key-enabled", "x-amz-object-lock-mode",
        "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold",
    ]
    private static let content: [StaticString] = [
        "content-type", "content-language", "content-disposition", "content-encoding", "cache-control", "expires",
    ]
}
