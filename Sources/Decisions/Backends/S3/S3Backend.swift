import S3API
public import Signatures
import WireFormats

/// One bucket at an S3-compatible store: where it is, how it is named there, and the credential for it. A value without
/// I/O: it makes the request that is to be sent, and says what the answer means.
public final class S3Backend: Backend {
    public enum Addressing: Hashable, Sendable {
        /// `endpoint/bucket/key`
        case path
        /// `bucket.endpoint/key`
        case virtualHost
    }

    public let endpoint: Endpoint
    /// Where clients reach the store that are sent there with a URL; nil: nobody said, and it is ``endpoint`` if anything.
    public let publicEndpoint: Endpoint?
    /// The store's region: what requests are signed for and buckets are created in.
    public let region: String
    public let addressing: Addressing
    /// The bucket's name at the store; not checked, since stores differ.
    public let bucketName: String
    /// What stands before every key at the store: empty, or ending in `/`.
    public let prefix: [UInt8]
    /// Nil: requests go out unsigned.
    public let signer: SigV4Signer?
    public let checksums: StoreChecksums

    /// Who says what pages of other origins may do.
    public enum CrossOrigin: Hashable, Sendable {
        /// The store, by its own rules: it hears the origin, and its answer's fields about that pass.
        case store
        /// We do.
        case gateway
    }

    public let crossOrigin: CrossOrigin

    /// What keys that listings leave out begin with; empty: none are left out.
    let hidden: FoldedName

    /// The value of `host`.
    let host: [UInt8]
    /// The bucket's path, encoded, without a trailing slash: empty where the bucket is in the host.
    let root: [UInt8]
    /// What precedes an encoded key: the bucket's path and the prefix, encoded.
    let keyRoot: [UInt8]

    /// - Parameter prefix: `backend_prefix` as configured; a `/` is put behind it where it has none.
    public init(
        endpoint: Endpoint,
        publicEndpoint: Endpoint? = nil,
        region: String,
        addressing: Addressing = .path,
        bucketName: String,
        prefix: String = "",
        signer: SigV4Signer?,
        crossOrigin: CrossOrigin = .store,
        checksums: StoreChecksums = .headersAndTrailers,
        hidden: [UInt8] = []
    ) {
        let folder = folder(prefix)
        self.endpoint = endpoint
        self.publicEndpoint = publicEndpoint
        self.region = region
        self.addressing = addressing
        self.bucketName = bucketName
        self.prefix = folder
        self.signer = signer
        self.crossOrigin = crossOrigin
        self.checksums = checksums
        self.hidden = FoldedName(hidden)
        switch addressing {
        case .path:
            host = Array(endpoint.authority.utf8)
            root = [UInt8(ascii: "/")] + PercentEncoding.encode(bucketName.utf8, keepSlash: .encode)
        case .virtualHost:
            host = Array((bucketName + "." + endpoint.authority).utf8)
            root = []
        }
        keyRoot = root + [UInt8(ascii: "/")] + PercentEncoding.encode(folder, keepSlash: .keep)
    }

    public var hostOfRequests: String { String(decoding: host, as: UTF8.self) }
    public var pathOfBucket: String { root.isEmpty ? "/" : String(decoding: root, as: UTF8.self) }
    public var pathBeforeKeys: String { String(decoding: keyRoot, as: UTF8.self) }

    /// The same store and credential with another bucket, the whole of it.
    public func withBucket(_ name: String) -> S3Backend {
        S3Backend(
            endpoint: endpoint,
            publicEndpoint: publicEndpoint,
            region: region,
            addressing: addressing,
            bucketName: name,
            signer: signer,
            checksums: checksums,
            hidden: hidden.bytes
        )
    }

    public var keepsKeys: Bool { endpoint.isOfAWS || endpoint.isOfGoogle || endpoint.isEmbedded }
    public var signsURLs: Bool { signer != nil }
    public var bindsUploads: Bool { true }

    /// With the same endpoint and the same credential.
    public func canCopy(from source: any Backend) -> Bool {
        guard let source = source as? S3Backend else { return false }
        return endpoint == source.endpoint && signer?.accessKeyID == source.signer?.accessKeyID
    }

    /// The path of a request, encoded.
    func path(of address: S3Address) throws(S3Error) -> [UInt8] {
        guard let key = address.key else { return root.isEmpty ? [UInt8(ascii: "/")] : root }
        guard prefix.count + key.bytes.count <= ObjectKey.maximumLength else { throw S3Error(.keyTooLong) }
        var path = keyRoot
        path.reserveCapacity(keyRoot.count + key.bytes.count + key.bytes.count / 2)
        PercentEncoding.append(key.bytes, to: &path, keepSlash: .keep)
        return path
    }
}
