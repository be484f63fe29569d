import Crypto
import S3API
import WireFormats

/// A store's continuation token as clients of a bucket behind a prefix see it: sealed, because stores use keys as tokens,
/// and those begin with the prefix; and bound to the bucket, `prefix` and `delimiter` of the listing it came from. What
/// may change from page to page at S3 (`max-keys`, `start-after`, which a token supersedes, and how keys are written)
/// may here.
///
/// The key is made of where the bucket lies at the store, so that a token is good at every instance and after a restart,
/// and outlives the store's credential. It need not be more secret: a token grants nothing. Each page is authorized by
/// its own query, the store hears the prefix with every page, and what lies outside is left out of the answer. Whoever
/// could make up a token knows the prefix already, and gains another place to begin at in what it may list anyway.
struct ContinuationToken {
    private let key: SymmetricKey
    /// The listing, unambiguously in bytes.
    private let listing: [UInt8]

    private static let version: Character = "2"

    init(for request: S3Request, at backend: any Backend) {
        var place = Array("gatehouse continuation token".utf8)
        Self.append(backend.bucketName.utf8, to: &place)
        Self.append(backend.prefix, to: &place)
        key = SymmetricKey(data: SHA256.hash(data: place))
        var listing: [UInt8] = []
        Self.append((request.bucket?.string ?? "").utf8, to: &listing)
        Self.append(request.listedPrefix ?? [], to: &listing)
        Self.append(request.listedDelimiter ?? [], to: &listing)
        self.listing = listing
    }

    /// Nil only where the cipher fails.
    func sealed(_ token: String) -> String? {
        let token = Array(token.utf8)
        // The nonce is made of what is sealed (RFC 5297 has the idea): equal nonces mean equal tokens, without a source
        // of random numbers.
        var digest = HMAC<SHA256>(key: key)
        digest.update(data: listing)
        digest.update(data: token)
        guard let nonce = try? AES.GCM.Nonce(data: Array(digest.finalize()).prefix(12)),
            let box = try? AES.GCM.seal(token, using: key, nonce: nonce, authenticating: listing),
            let combined = box.combined
        else { return nil }
        return String(Self.version) + Base64URL.encode(combined)
    }

    /// The store's token; nil for one of another listing, and for what is none of ours.
    func opened(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.first == Self.version.asciiValue, let combined = Base64URL.decode(Array(text.dropFirst())),
            let box = try? AES.GCM.SealedBox(combined: combined),
            let token = try? AES.GCM.open(box, using: key, authenticating: listing)
        else { return nil }
        return Array(token)
    }

    private static func append(_ part: some Collection<UInt8>, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: UInt64(part.count).bigEndian) { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: part)
    }
}
