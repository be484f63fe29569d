import WireFormats

/// Signing keys of callers seen lately, so that verifying a warm caller derives none. A value confined to its loop;
/// holds at most `capacity` keys and starts anew when full.
///
/// Only keys that verified a signature enter, so that strangers who know an access key id can't push others out; a
/// changed secret misses, so that a reload takes effect at once.
public struct SigningKeyCache: Sendable {
    private struct Entry: Sendable {
        let scope: CredentialScope
        let secret: Secret<String>
        let key: SigningKey
    }

    private let capacity: Int
    private var entries: [CredentialScope: Entry] = [:]
    /// The entry that was found last: callers send many requests in a row, and comparing is cheaper than hashing.
    private var last: Entry?

    public init(capacity: Int = 1024) {
        precondition(capacity > 0, "a cache holds something")
        self.capacity = capacity
    }

    public var count: Int { entries.count }

    mutating func key(for scope: CredentialScope, secret: Secret<String>) -> SigningKey? {
        if let last, last.scope == scope, SigningKeyCache.equal(last.secret, secret) { return last.key }
        guard let entry = entries[scope], SigningKeyCache.equal(entry.secret, secret) else { return nil }
        last = entry
        return entry.key
    }

    /// Both are the configuration's; an attacker has no hand in either, so time need not be constant.
    private static func equal(_ left: Secret<String>, _ right: Secret<String>) -> Bool {
        let (left, right) = (left.reveal().utf8, right.reveal().utf8)
        let same = left.withContiguousStorageIfAvailable { left in
            right.withContiguousStorageIfAvailable { right in
                guard left.count == right.count else { return false }
                for index in left.indices where left[index] != right[index] { return false }
                return true
            }
        }
        return (same ?? nil) ?? left.elementsEqual(right)
    }

    mutating func store(_ key: SigningKey, for scope: CredentialScope, secret: Secret<String>) {
        if entries.count >= capacity, entries[scope] == nil { entries.removeAll(keepingCapacity: true) }
        let entry = Entry(scope: scope, secret: secret, key: key)
        entries[scope] = entry
        last = entry
    }
}
