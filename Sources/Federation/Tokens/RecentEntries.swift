/// A bounded dictionary that forgets what was not asked for lately: two generations, of which the older is dropped whole
/// when the younger is full. Costs one look-up, keeps no list.
struct RecentEntries<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private var young: [Key: Value] = [:]
    private var old: [Key: Value] = [:]
    private let half: Int

    /// - Parameter limit: how many entries there are at most.
    init(limit: Int) {
        half = max(1, limit / 2)
    }

    var count: Int { young.count + old.count }

    mutating func value(of key: Key) -> Value? {
        if let value = young[key] { return value }
        guard let value = old.removeValue(forKey: key) else { return nil }
        insert(value, for: key)
        return value
    }

    mutating func insert(_ value: Value, for key: Key) {
        if young.count >= half, young[key] == nil {
            old = young
            young = [:]
        }
        young[key] = value
    }

    mutating func remove(_ key: Key) {
        young[key] = nil
        old[key] = nil
    }
}
