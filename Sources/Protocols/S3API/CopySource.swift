import WireFormats

/// The object that a copy reads, from `x-amz-copy-source: /bucket/key?versionId=id`, percent-encoded
/// (S3 API reference, CopyObject).
public struct CopySource: Hashable, Sendable {
    public let bucket: BucketName
    public let key: ObjectKey
    public let versionID: [UInt8]?

    public init(bucket: BucketName, key: ObjectKey, versionID: [UInt8]? = nil) {
        self.bucket = bucket
        self.key = key
        self.versionID = versionID
    }

    /// What the caller needs at the source.
    public var actions: ActionSet {
        ActionSet(versionID == nil ? [.getObject] : [.getObject, .getObjectVersion])
    }

    /// - Throws: `InvalidArgument`, `InvalidBucketName`, and what the key's own check throws; `NotImplemented` for
    ///   access points.
    public init(parsing value: some Collection<UInt8>, rules: KeyRules = .standard) throws(S3Error) {
        var path = Array(value)[...]
        if path.first == UInt8(ascii: "/") { path = path.dropFirst() }
        guard !path.starts(with: "arn:".utf8) else { throw S3Error(.notImplemented) }
        var version: ArraySlice<UInt8>?
        if let question = path.firstIndex(of: UInt8(ascii: "?")) {
            let query = path[(question + 1)...]
            guard query.starts(with: "versionId=".utf8) else { throw Self.malformed }
            version = query.dropFirst("versionId=".utf8.count)
            path = path[..<question]
        }
        let decoded = try Self.decode(path)
        guard let slash = decoded.firstIndex(of: UInt8(ascii: "/")), slash + 1 < decoded.count else {
            throw Self.malformed
        }
        guard let bucket = BucketName(validating: decoded[..<slash]) else { throw S3Error(.invalidBucketName) }
        self.bucket = bucket
        key = try ObjectKey(validating: Array(decoded[(slash + 1)...]), rules: rules)
        guard let version else {
            versionID = nil
            return
        }
        let id = try Self.decode(version)
        guard !id.isEmpty, id.allSatisfy({ (0x21...0x7E).contains($0) }), !hasDotSegment(id[...]) else {
            throw Self.malformed
        }
        versionID = id
    }

    private static func decode(_ text: ArraySlice<UInt8>) throws(S3Error) -> [UInt8] {
        do {
            return try PercentEncoding.decode(text)
        } catch {
            throw malformed
        }
    }

    private static var malformed: S3Error {
        S3Error(.invalidArgument, "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    }
}
