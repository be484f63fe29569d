import S3API
import WireFormats

/// One bucket at Google Cloud Storage, spoken to in its XML API, which takes every kind of credential (JSON takes no HMAC
/// keys) and has the operations of S3 one for one, under other names (Cloud Storage documentation, "XML API").
public final class GoogleBackend: Backend {
    public let endpoint: Endpoint
    public let publicEndpoint: Endpoint?
    public let bucketName: String
    public let prefix: [UInt8]
    public let credential: GoogleCredential
    /// Google keeps CRC32C and MD5, and understands nothing of S3's fields about checksums; what of them it can hold a
    /// body to is translated.
    public let checksums = StoreChecksums.unknown

    /// What keys that listings leave out begin with; empty: none are left out.
    let hidden: FoldedName
    /// The value of `host`.
    let host: [UInt8]
    /// The bucket's path, encoded, without a trailing slash.
    let root: [UInt8]
    /// What precedes an encoded key: the bucket's path and the prefix, encoded.
    let keyRoot: [UInt8]

    /// Google's own, for every bucket wherever it lies.
    public static let usualEndpoint = Endpoint(
        address: .tcp(host: "storage.googleapis.com", port: 443),
        transport: .tls,
        authority: "storage.googleapis.com"
    )

    /// - Parameter prefix: `backend_prefix` as configured; a `/` is put behind it where it has none.
    public init(
        endpoint: Endpoint = GoogleBackend.usualEndpoint,
        publicEndpoint: Endpoint? = nil,
        bucketName: String,
        prefix: String = "",
        credential: GoogleCredential,
        hidden: [UInt8] = []
    ) {
        self.endpoint = endpoint
        self.publicEndpoint = publicEndpoint
        self.bucketName = bucketName
        self.prefix = folder(prefix)
        self.credential = credential
        self.hidden = FoldedName(hidden)
        host = Array(endpoint.authority.utf8)
        root = [UInt8(ascii: "/")] + PercentEncoding.encode(bucketName.utf8, keepSlash: .encode)
        keyRoot = root + [UInt8(ascii: "/")] + PercentEncoding.encode(self.prefix, keepSlash: .keep)
    }

    public var hostOfRequests: String { endpoint.authority }
    public var pathOfBucket: String { String(decoding: root, as: UTF8.self) }
    public var pathBeforeKeys: String { String(decoding: keyRoot, as: UTF8.self) }

    public var keepsKeys: Bool { endpoint.isOfGoogle }
    public var signsURLs: Bool { credential.signsURLs }

    /// Type and length, and the generation 0 of a key that is free.
    public var bindsUploads: Bool { true }

    /// The parts of Google's uploads come with their bytes only.
    public var copiesParts: Bool { false }

    /// "Preconditions are not supported in the requests" (Cloud Storage documentation, "XML API multipart uploads").
    public var completesConditionally: Bool { false }

    /// Within Google, by whoever may read there and write here.
    public func canCopy(from source: any Backend) -> Bool {
        guard let source = source as? GoogleBackend else { return false }
        return endpoint == source.endpoint && credential.isSame(as: source.credential)
    }

    /// The path of a request, encoded.
    func path(of address: S3Address) throws(S3Error) -> [UInt8] {
        guard let key = address.key else { return root }
        return try path(of: key)
    }

    func path(of key: ObjectKey) throws(S3Error) -> [UInt8] {
        keyRoot + PercentEncoding.encode(try stored(key).bytes.dropFirst(prefix.count), keepSlash: .keep)
    }
}
