import WireFormats

/// Signing keys of callers seen lately, so that verifying a warm caller derives none. A value confined to its loop;
/// holds at most `capacity` keys and starts anew when full.
///
/// Only keys that verified a signature enter, so that strangers who know an access key id can't push others out; a
/// changed secret misses, so that a reload takes effect at once.
public struct SigningKeyCache: Sendable {
    private final class Entry: Sendable {
        let scope: CredentialScope
        let secret: Secret<String>
        let key: SigningKey

        init(scope: CredentialScope, secret: Secret<String>, key: SigningKey) {
            self.scope = scope
            self.secret = secret
            self.key = key
        }
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
        if let last, last.scope == scope, sameBytes(last.secret.reveal(), secret.reveal()) { return last.key }
        guard let entry = entries[scope], sameBytes(entry.secret.reveal(), secret.reveal()) else { return nil }
        last = entry
        return entry.key
    }

    mutating func store(_ key: SigningKey, for scope: CredentialScope, secret: Secret<String>) {
        if entries.count >= capacity, entries[scope] == nil { entries.removeAll(keepingCapacity: true) }
        let entry = Entry(scope: scope, secret: secret, key: key)
        entries[scope] = entry
        last = entry
    }
}

/// Whether two strings have the same UTF-8, as Unicode's equivalence of strings does not ask. Not for comparing a
/// secret with what a caller sent.
func sameBytes(_ left: String, _ right: String) -> Bool {
    let (left, right) = (left.utf8, right.utf8)
    guard left.count == right.count else { return false }
    let same = left.withContiguousStorageIfAvailable { left in
        right.withContiguousStorageIfAvailable { right in
            for index in left.indices where left[index] != right[index] { return false }
            return true
        }
    }
    return (same ?? nil) ?? left.elementsEqual(right)
}
