import Crypto
import WireFormats

/// The API keys of a snapshot. A presented key is hashed, its digest's first bytes select the candidates, and each
/// candidate is compared whole in constant time: how long a look-up takes says nothing about any key.
public struct APIKeyTable: Sendable {
    /// Longer keys are refused unhashed; configuration refuses them too.
    public static let maximumKeyLength = 1024

    /// One configured key.
    public struct Entry: Sendable {
        public let digest: APIKeyDigest
        public let user: APIUser

        public init(digest: APIKeyDigest, user: APIUser) {
            self.digest = digest
            self.user = user
        }
    }

    /// By the digest's first eight bytes.
    private let candidates: [UInt64: [Entry]]
    private let byName: [String: Entry]

    /// - Throws: ``APIKeyTableError`` when two users have the same key, since who acts would be chance, and when a
    ///   key is the empty string.
    public init(_ entries: [Entry] = []) throws(APIKeyTableError) {
        let empty = APIKeyDigest(of: [])
        var owners: [APIKeyDigest: String] = [:]
        var table: [UInt64: [Entry]] = [:]
        for entry in entries {
            guard entry.digest != empty else { throw .emptyKey(user: entry.user.name) }
            if let other = owners.updateValue(entry.user.name, forKey: entry.digest) {
                throw .sameKey(users: [other, entry.user.name])
            }
            table[Self.selector(entry.digest.bytes), default: []].append(entry)
        }
        candidates = table
        byName = Dictionary(entries.map { ($0.user.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The user of that name, whoever asks.
    public func user(named name: String) -> APIUser? { byName[name]?.user }

    /// The key of the user of that name.
    public func digest(ofUser name: String) -> APIKeyDigest? { byName[name]?.digest }

    /// The user whose key has that digest; nil where it is nobody's any more.
    public func user(holding digest: APIKeyDigest) -> APIUser? {
        candidates[Self.selector(digest.bytes)]?.first { constantTimeEqual($0.digest.bytes, digest.bytes) }?.user
    }

    /// The user whose key this is; nil when it is nobody's.
    public func user(presenting key: [UInt8]) -> APIUser? {
        guard !key.isEmpty, key.count <= Self.maximumKeyLength else { return nil }
        return SHA256.hash(data: key).withUnsafeBytes { digest in
            guard let entries = candidates[Self.selector(digest)] else { return nil }
            var found: APIUser?
            for entry in entries where constantTimeEqual(entry.digest.bytes, digest) {
                found = entry.user
            }
            return found
        }
    }

    private static func selector(_ digest: some Collection<UInt8>) -> UInt64 {
        digest.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// What makes a list of API keys unusable.
public enum APIKeyTableError: Error, Equatable, Sendable {
    case sameKey(users: [String])
    case emptyKey(user: String)
}
