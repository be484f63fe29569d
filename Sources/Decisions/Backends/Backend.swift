public import HTTP1
public import S3API
public import Signatures
public import WireFormats

/// A bucket at a store of some kind: where it is, how it is named there, and the credential for it. A value without I/O:
/// it makes the request that is to be sent, and says in S3's terms what the answer means.
///
/// Siblings share a shape: `S3` passes on, the others translate.
public protocol Backend: AnyObject, Sendable {
    var endpoint: Endpoint { get }
    /// Where clients reach the store that are sent there with a URL; nil: nobody said, and it is ``endpoint`` if anything.
    var publicEndpoint: Endpoint? { get }
    /// The bucket's name at the store; not checked, since stores differ.
    var bucketName: String { get }
    /// What stands before every key at the store: empty, or ending in `/`.
    var prefix: [UInt8] { get }
    /// The value of `Host` that requests are sent with.
    var hostOfRequests: String { get }
    /// The path of requests about the bucket, encoded.
    var pathOfBucket: String { get }
    /// What stands before an encoded key in the path of requests about it.
    var pathBeforeKeys: String { get }
    /// What the store is told of S3's additional checksums.
    var checksums: StoreChecksums { get }
    /// Whether the store is known to keep every key as it is. Elsewhere `\` may be `/`, several slashes one, and one in
    /// front none: two keys may be one object.
    var keepsKeys: Bool { get }
    /// Whether there are URLs that ``presign(_:_:query:fields:binding:for:at:)`` makes, or somebody else signs.
    var signsURLs: Bool { get }
    /// Whether there can be such that permit this method and none that does more.
    func hasURLs(of method: HTTPMethod) -> Bool
    /// Whether a URL can hold whoever puts with it to the fields it was made for, a key that is free among them.
    var bindsUploads: Bool { get }

    /// Whether what it copies by itself can be the part of an upload, too.
    var copiesParts: Bool { get }
    /// Whether an upload in parts can be completed under a condition.
    var completesConditionally: Bool { get }

    /// Whether the store can copy from `source` to here by itself.
    func canCopy(from source: any Backend) -> Bool

    /// What is to be asked first for an operation of S3's, and what comes of the answer. GetObject, HeadObject, UploadPart
    /// and, without `If-Match`, PutObject are one exchange each; others may be several, one after another. A body that is
    /// carried goes with the last.
    ///
    /// - Parameters:
    ///   - head: of the client.
    ///   - source: where a copy's source lies; it must be one that ``canCopy(from:)``.
    ///   - view: the names that clients know us by.
    ///   - now: the time of every signature.
    /// - Throws: `KeyTooLongError`; `InvalidArgument` for a token that is none of ours; `NotImplemented` for what the store
    ///   has no like of.
    func exchange(
        for request: S3Request,
        head: RequestHead,
        body: OutgoingBody,
        copyingFrom source: (any Backend)?,
        view: ClientView,
        at now: Instant
    ) throws(S3Error) -> Exchange

    /// The request as the store will receive it from another gateway, which carries the client's own. Nil where nothing is
    /// signed that is bound to method and path.
    ///
    /// - Parameter payload: what a signature shall say of a body that is not seen here.
    /// - Throws: `KeyTooLongError`; `NotImplemented` for what only Gatehouse can carry.
    func gatewayRequest(
        for request: S3Request,
        head: RequestHead,
        payload: PayloadHash,
        at now: Instant
    ) throws(S3Error) -> GatewayRequest?

    /// A URL at the store that does one thing with one key, for whoever holds it; nil where the store has no such URL.
    ///
    /// - Parameters:
    ///   - query: what the URL asks for besides, in S3's names: overrides of the answer's fields, the part of an upload.
    ///   - fields: what the request has to carry exactly so; in S3's names, in lower case, without `host`.
    ///   - binding: whether the store has to insist on them.
    ///   - lifetime: whole seconds, 1 s to ``S3Backend/longestPresigned``.
    ///   - now: the time of the signature, which counts whole seconds.
    /// - Throws: `KeyTooLongError` where the prefix leaves no room for the key.
    func presign(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query,
        fields: FieldBlock,
        binding: FieldBinding,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> PresignedRequest?

    /// The same where the signature is somebody else's to make; nil where it is not, or the store has no such URL.
    func unsignedURL(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query,
        fields: FieldBlock,
        binding: FieldBinding,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> UnsignedURL?

    /// A form that uploads one file under one key; nil where the store takes none from clients.
    ///
    /// - Parameters:
    ///   - fields: of the object; names in lower case.
    ///   - length: of the file, in bytes.
    /// - Throws: `KeyTooLongError` where the prefix leaves no room for the key.
    func postForm(
        _ key: ObjectKey,
        fields: FieldBlock,
        length: Int64,
        until end: Instant,
        at now: Instant
    ) throws(S3Error) -> PostedForm?
}

extension Backend {
    public func hasURLs(of method: HTTPMethod) -> Bool { true }

    /// Whether it makes URLs that permit this method and none that does more.
    public func signsURLs(of method: HTTPMethod) -> Bool { signsURLs && hasURLs(of: method) }
}

/// A URL, and what the request has to carry in the store's own names; in lower case.
public struct PresignedRequest: Sendable {
    public let url: String
    public let fields: FieldBlock

    public init(url: String, fields: FieldBlock) {
        self.url = url
        self.fields = fields
    }
}

/// A URL that lacks its signature.
public struct UnsignedURL: Sendable {
    /// What is to be signed.
    public let text: [UInt8]
    private let complete: @Sendable (_ signature: [UInt8]) -> PresignedRequest

    init(_ text: [UInt8], _ complete: @escaping @Sendable (_ signature: [UInt8]) -> PresignedRequest) {
        self.text = text
        self.complete = complete
    }

    public func signed(by signature: [UInt8]) -> PresignedRequest { complete(signature) }
}

/// Who sees to it that a request to a signed URL carries the fields that the URL was made for.
public enum FieldBinding: Hashable, Sendable {
    /// The store refuses any other.
    case required
    /// What was put is looked at afterwards, before it counts.
    case checkedAfterwards
}

/// A request that another gateway sends on, signed.
public struct GatewayRequest: Sendable {
    /// What is signed of a client's request besides its fields.
    static func start(_ method: HTTPMethod, _ path: [UInt8], _ query: Query) -> OutgoingRequest {
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        return OutgoingRequest(
            method: method,
            path: path,
            query: text,
            fields: FieldBlock(reservingBytes: 768, fields: 8)
        )
    }

    /// Its fields are those that the signature covers, not all that travel.
    public let signed: OutgoingRequest
    /// Which of those fields the gateway has to add to what the client sent; names in lower case.
    public let added: [StaticString]
}

extension Backend {
    public var copiesParts: Bool { true }
    public var completesConditionally: Bool { true }

    public func unsignedURL(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query,
        fields: FieldBlock,
        binding: FieldBinding,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> UnsignedURL? {
        nil
    }

    /// The key at the store.
    /// - Throws: `KeyTooLongError` where the prefix leaves no room for it.
    func stored(_ key: ObjectKey) throws(S3Error) -> ObjectKey {
        guard prefix.count + key.bytes.count <= ObjectKey.maximumLength else { throw S3Error(.keyTooLong) }
        return prefix.isEmpty ? key : ObjectKey(prefix + key.bytes)
    }

    /// The client's key for one of the store; nil where it lies outside the prefix.
    func shown(_ stored: some Collection<UInt8>) -> [UInt8]? {
        guard stored.starts(with: prefix) else { return nil }
        return Array(stored.dropFirst(prefix.count))
    }

    /// The client's key for one of the store, such as its events name; nil where it lies outside the prefix.
    public func shownKey(_ stored: [UInt8]) -> ObjectKey? {
        guard let shown = shown(stored), !shown.isEmpty, shown.count <= ObjectKey.maximumLength else { return nil }
        return ObjectKey(shown)
    }
}

/// `backend_prefix` as it stands before keys: with a `/` behind it where it has none.
func folder(_ prefix: String) -> [UInt8] {
    var folder = Array(prefix.utf8)
    if let last = folder.last, last != UInt8(ascii: "/") { folder.append(UInt8(ascii: "/")) }
    return folder
}
