import WireFormats

/// What a request is about: the service, a bucket, or an object; decoded exactly once.
public enum S3Address: Hashable, Sendable {
    case service
    case bucket(BucketName)
    case object(BucketName, ObjectKey)

    public var bucket: BucketName? {
        switch self {
        case .service: nil
        case .bucket(let bucket), .object(let bucket, _): bucket
        }
    }

    public var key: ObjectKey? {
        switch self {
        case .service, .bucket: nil
        case .object(_, let key): key
        }
    }
}

/// Where the bucket's name stood (S3 User Guide, "Virtual hosting of buckets").
public enum AddressingStyle: Hashable, Sendable {
    case path
    case virtualHost
}

extension S3Address {
    /// Finds bucket and key in a request's authority and path.
    ///
    /// - Parameters:
    ///   - host: the authority as sent; a port and one trailing dot are ignored, case too.
    ///   - path: the path as sent, percent-encoded, beginning with `/`.
    ///   - domains: the configured suffixes of virtual hosts, in lower case, without leading or trailing dot. A host
    ///     that equals one of them is path style; of several that fit, the longest counts.
    /// - Throws: `InvalidURI`, `InvalidBucketName`, `KeyTooLongError`, `InvalidArgument`.
    public static func locate(
        host: some Collection<UInt8>,
        path: some Collection<UInt8>,
        domains: [String],
        rules: KeyRules = .standard
    ) throws(S3Error) -> (address: S3Address, style: AddressingStyle) {
        guard path.first == UInt8(ascii: "/") else { throw S3Error(.invalidURI) }
        if !domains.isEmpty, let label = bucketLabel(of: host, domains: domains) {
            guard let bucket = BucketName(validating: label) else { throw S3Error(.invalidBucketName) }
            let key = try decode(path.dropFirst())
            guard !key.isEmpty else { return (.bucket(bucket), .virtualHost) }
            return (.object(bucket, try ObjectKey(validating: key, rules: rules)), .virtualHost)
        }
        let rest = path.dropFirst()
        guard !rest.isEmpty else { return (.service, .path) }
        let slash = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
        guard let bucket = BucketName(validating: try decode(rest[..<slash])) else {
            throw S3Error(.invalidBucketName)
        }
        guard slash != rest.endIndex else { return (.bucket(bucket), .path) }
        let key = try decode(rest[rest.index(after: slash)...])
        guard !key.isEmpty else { return (.bucket(bucket), .path) }
        return (.object(bucket, try ObjectKey(validating: key, rules: rules)), .path)
    }

    private static func decode(_ encoded: some Collection<UInt8>) throws(S3Error) -> [UInt8] {
        guard encoded.contains(UInt8(ascii: "%")) else { return Array(encoded) }
        do {
            return try PercentEncoding.decode(encoded)
        } catch {
            throw S3Error(.invalidURI)
        }
    }

    /// What stands before a configured domain in `host`, in lower case; nil where none fits or one fits entirely.
    private static func bucketLabel(of host: some Collection<UInt8>, domains: [String]) -> [UInt8]? {
        var name: [UInt8] = []
        name.reserveCapacity(host.count)
        for byte in host {
            if byte == UInt8(ascii: ":") { break }
            name.append(byte &- 0x41 < 26 ? byte | 0x20 : byte)
        }
        if name.last == UInt8(ascii: ".") { name.removeLast() }
        var best: Int?
        for domain in domains {
            let suffix = domain.utf8
            if name.elementsEqual(suffix) { return nil }
            let start = name.count - suffix.count
            guard start > 1, name[start - 1] == UInt8(ascii: "."), name[start...].elementsEqual(suffix) else {
                continue
            }
            best = min(best ?? start, start)
        }
        return best.map { Array(name[..<($0 - 1)]) }
    }
}
