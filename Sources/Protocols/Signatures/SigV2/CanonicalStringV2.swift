import HTTP1
import WireFormats

/// What version 2 signs: method, Content-MD5, Content-Type, expiry, every `x-amz-` field, and the resource with the
/// parameters that name it (S3 Developer Guide, "Signing and Authenticating REST Requests").
///
/// Less than version 4: neither the host nor a listing's parameters are covered. What says which operation is meant is
/// covered here, also where the operation is younger than version 2: a URL for an object must not open what lies beside
/// it.
struct CanonicalStringV2 {
    let payload: PayloadHash
    /// All that precedes the path, the bucket of a virtual host included.
    private let start: [UInt8]
    private let path: [UInt8]
    private let pathNamesBucket: Bool
    /// From the `?` on; empty without parameters that count.
    private let parameters: [UInt8]

    init(
        _ presented: PresignedQueryV2,
        head: RequestHead,
        query: Query,
        bucket: String?
    ) throws(SignatureRefusal) {
        var start = Array(head.method.name.utf8)
        for name in ["content-md5", "content-type"] as [StaticString] {
            start.append(UInt8(ascii: "\n"))
            do {
                start.append(contentsOf: try head.fields.single(name) ?? [])
            } catch {
                throw .repeatedHeader(name.description)
            }
        }
        start.append(UInt8(ascii: "\n"))
        start.append(contentsOf: presented.expiresText)
        start.append(UInt8(ascii: "\n"))
        let fields = try AmzFieldsV2(head.fields, query)
        fields.append(to: &start)
        if let bucket {
            start.append(UInt8(ascii: "/"))
            start.append(contentsOf: bucket.utf8)
        }
        self.start = start
        payload = try fields.payload()
        path = head.path
        pathNamesBucket = bucket == nil
        parameters = try Self.parameters(of: query)
    }

    func bytes(path: [UInt8]) -> [UInt8] { start + path + parameters }

    /// The path as it came; a bucket's also with the slash that botocore signs and does not send; and as it would come
    /// from an encoder that leaves nothing raw, since a proxy in between may have rewritten it. All name the same.
    func pathForms() throws(SignatureRefusal) -> [[UInt8]] {
        let decoded: [UInt8]
        do { decoded = try PercentEncoding.decode(path) } catch { throw .malformedPath }
        if pathNamesBucket, !path.dropFirst().contains(UInt8(ascii: "/")) { return [path, path + [UInt8(ascii: "/")]] }
        let encoded = PercentEncoding.encode(decoded, keepSlash: .keep)
        return encoded == path ? [path] : [path, encoded]
    }

    // MARK: - Parameters

    /// The parameters that count, decoded, by name.
    private static func parameters(of query: Query) throws(SignatureRefusal) -> [UInt8] {
        var items: [(name: ArraySlice<UInt8>, text: [UInt8])] = []
        try query.forEach { (name, value, hasEquals) throws(SignatureRefusal) in
            guard isSigned(name) else { return }
            guard isUnambiguous(value) else { throw .ambiguousParameter }
            items.append((name, Array(name) + (hasEquals ? [UInt8(ascii: "=")] : []) + value))
        }
        guard !items.isEmpty else { return [] }
        items.sort { $0.name.lexicographicallyPrecedes($1.name) }
        return [UInt8(ascii: "?")] + items.map(\.text).joined(separator: [UInt8(ascii: "&")])
    }

    /// Values are signed as they are, not encoded: one that holds `&versionId=3` would sign the same text as a second
    /// parameter, and one could be turned into the other.
    private static func isUnambiguous(_ value: ArraySlice<UInt8>) -> Bool {
        guard value.allSatisfy({ $0 > 0x1f && $0 != 0x7f }) else { return false }
        guard value.contains(UInt8(ascii: "&")) else { return true }
        return !value.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).dropFirst().contains {
            isSigned($0.prefix { $0 != UInt8(ascii: "=") })
        }
    }

    private static func isSigned(_ name: ArraySlice<UInt8>) -> Bool {
        names.contains(Array(name))
    }

    private static let names: Set<[UInt8]> = Set(
        [
            // Of the guide, and those that AWS's own SDKs have added since.
            "accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "inventory", "lifecycle",
            "location",
            "logging", "metrics", "notification", "object-lock", "partNumber", "policy", "replication",
            "requestPayment", "response-cache-control", "response-content-disposition", "response-content-encoding",
            "response-content-language", "response-content-type", "response-expires", "restore", "select",
            "select-type", "storageClass", "tagging", "torrent", "uploadId", "uploads", "versionId", "versioning",
            "versions", "website",
            // Those that name an operation all the same.
            "attributes", "encryption", "legal-hold", "ownershipControls", "policyStatus", "publicAccessBlock",
            "retention",
        ].map { Array($0.utf8) }
    )
}

/// The `x-amz-` fields of a request by their names in lower case: those of the head, and those that an SDK moved into the
/// query. botocore asks for both at once, so that the same value in both places is one field.
private struct AmzFieldsV2 {
    private var values: [(name: [UInt8], value: [UInt8])] = []

    init(_ fields: FieldBlock, _ query: Query) throws(SignatureRefusal) {
        for entry in fields.entries where fields.hasPrefix(entry, "x-amz-") {
            let name = fields.name(entry).map(lowered)
            if let place = values.firstIndex(where: { $0.name == name }) {
                values[place].value += [UInt8(ascii: ",")] + fields.value(entry)
            } else {
                values.append((name, Array(fields.value(entry))))
            }
        }
        var moved: Set<[UInt8]> = []
        try query.forEach { (name, value, _) throws(SignatureRefusal) in
            guard name.count > 6, name.prefix(6).lazy.map(lowered).elementsEqual("x-amz-".utf8) else { return }
            let name = name.map(lowered)
            guard name.allSatisfy({ $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }),
                value.allSatisfy({ $0 > 0x1f && $0 != 0x7f })
            else { throw .ambiguousParameter }
            let value = trimmed(value)
            guard moved.insert(name).inserted else { throw .repeatedHeader(String(decoding: name, as: UTF8.self)) }
            if let place = values.firstIndex(where: { $0.name == name }) {
                guard values[place].value[...] == value else {
                    throw .repeatedHeader(String(decoding: name, as: UTF8.self))
                }
            } else {
                values.append((name, Array(value)))
            }
        }
        values.sort { $0.name.lexicographicallyPrecedes($1.name) }
    }

    /// `name:value` each on its line.
    func append(to text: inout [UInt8]) {
        for (name, value) in values {
            text.append(contentsOf: name)
            text.append(UInt8(ascii: ":"))
            text.append(contentsOf: value)
            text.append(UInt8(ascii: "\n"))
        }
    }

    /// Chunk signatures are of version 4: there is nothing here that they could continue.
    func payload() throws(SignatureRefusal) -> PayloadHash {
        guard let text = values.first(where: { $0.name.elementsEqual("x-amz-content-sha256".utf8) })?.value else {
            return .unsigned
        }
        guard let payload = PayloadHash(text) else { throw PayloadHash.refusal(of: text) }
        if case .chunked(let form) = payload, form.isSigned { throw .malformedContentSHA256 }
        return payload
    }
}
