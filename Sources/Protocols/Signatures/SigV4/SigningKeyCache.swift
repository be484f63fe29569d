import WireFormats

/// Signing keys of callers seen lately, so that verifying a warm caller derives none. A value confined to its loop;
/// holds at most `capacity` keys and starts anew when full.
///
/// Only keys that verified a signature enter, so that strangers who know an access key id can't push others out; a
/// changed secret misses, so that a reload takes effect at once.
public struct SigningKeyCache: Sendable {
    private struct Entry: Sendable {
        let secret: Secret<String>
        let key: SigningKey
    }

    private let capacity: Int
    private var entries: [CredentialScope: Entry] = [:]

    public init(capacity: Int = 1024) {
        precondition(capacity > 0, "a cache holds something")
        self.capacity = capacity
    }

    public var count: Int { entries.count }

    func key(for scope: CredentialScope, secret: Secret<String>) -> SigningKey? {
        guard let entry = entries[scope], entry.secret.reveal().utf8.elementsEqual(secret.reveal().utf8) else {
            return nil
        }
        return entry.key
    }

    mutating func store(_ key: SigningKey, for scope: CredentialScope, secret: Secret<String>) {
        if entries.count >= capacity, entries[scope] == nil { entries.removeAll(keepingCapacity: true) }
        entries[scope] = Entry(secret: secret, key: key)
    }
}
