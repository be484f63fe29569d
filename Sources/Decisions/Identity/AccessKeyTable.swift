public import WireFormats

/// The access keys of a snapshot by id, immutable: every loop reads it without a lock.
public struct AccessKeyTable: Sendable {
    private let keys: [String: AccessKey]
    /// The ids of the keys of each principal.
    private let names: [String: [String]]

    /// - Throws: ``AccessKeyTableError`` when two keys have the same id: which of the two secrets counts would be
    ///   chance.
    public init(_ keys: [AccessKey] = []) throws(AccessKeyTableError) {
        var table: [String: AccessKey] = [:]
        table.reserveCapacity(keys.count)
        for key in keys {
            guard !key.id.isEmpty else { throw .emptyID(principalName: key.principalName) }
            guard table.updateValue(key, forKey: key.id) == nil else { throw .duplicateID(key.id) }
        }
        self.keys = table
        names = Dictionary(grouping: keys, by: \.principalName).mapValues { $0.map(\.id).sorted() }
    }

    public var count: Int { keys.count }

    /// All of them by id, whether they may be used or not: for explaining, not for accepting anything.
    public var all: [AccessKey] { keys.values.sorted { $0.id < $1.id } }

    /// The ids of the keys that stand for a principal and may be used at `now`, in the order of their ids.
    public func ids(of principalName: String, at now: Instant) -> [String] {
        (names[principalName] ?? []).filter { (try? find($0, at: now)) != nil }
    }

    /// The key of this id, if it may be used at `now`. The three refusals differ for the log and for `explain`; a
    /// client is told the same for all of them (`InvalidAccessKeyId`).
    public func find(_ id: String, at now: Instant) throws(AccessKeyRefusal) -> AccessKey {
        guard let key = keys[id] else { throw .unknown }
        guard key.enabled else { throw .disabled }
        if let end = key.expiresAt, now >= end { throw .expired }
        return key
    }
}

/// Why an access key id is not accepted.
public enum AccessKeyRefusal: String, Error, Sendable, CaseIterable {
    case unknown = "unknown_access_key"
    case disabled = "disabled_access_key"
    case expired = "expired_access_key"
}

/// What makes a list of access keys unusable.
public enum AccessKeyTableError: Error, Equatable, Sendable {
    case duplicateID(String)
    case emptyID(principalName: String)
}
