public import Identity
import S3API
public import WireFormats

/// The grants in force, by who holds them and where they are about: asked where nothing else permits what a request needs.
public struct GrantTable: BookContent {
    public enum Holder: Hashable, Sendable {
        case principal(Principal)
        /// Whoever has the link: the SHA-256 of its token.
        case link(hash: [UInt8])
    }

    private struct Held: Sendable {
        let right: GivenRight
        let holder: Holder
    }

    /// What somebody holds in one bucket; each list in the order in which its rights end.
    private struct Holding: Sendable {
        var keys: [ObjectKey: [GivenRight]] = [:]
        var prefixes = PrefixIndex<[GivenRight]>()

        var isEmpty: Bool { keys.isEmpty && prefixes.isEmpty }

        subscript(reach: GivenRight.Reach) -> [GivenRight] {
            get {
                switch reach {
                case .key(let key): keys[key] ?? []
                case .prefix(let prefix): prefixes[prefix] ?? []
                }
            }
            set {
                switch reach {
                case .key(let key): keys[key] = newValue.isEmpty ? nil : newValue
                case .prefix(let prefix): prefixes[prefix] = newValue.isEmpty ? nil : newValue
                }
            }
        }
    }

    private var held: [String: Held] = [:]
    /// What is held by principals.
    private var holdings: [Principal: [BucketName: Holding]] = [:]
    /// The ids of links, by what they are known by.
    private var links: [[UInt8]: String] = [:]
    private var given: [Principal: Int] = [:]

    public init() {}

    public var count: Int { held.count }
    public var isEmpty: Bool { held.isEmpty }

    /// How many of them somebody gave.
    public func count(givenBy principal: Principal) -> Int { given[principal] ?? 0 }

    /// Adds a right, or replaces the one of the same id.
    public mutating func insert(_ right: GivenRight, for holder: Holder) {
        remove(right.id)
        held[right.id] = Held(right: right, holder: holder)
        given[right.giver.principal, default: 0] += 1
        switch holder {
        case .principal(let principal):
            holdings[principal, default: [:]][right.bucket, default: Holding()][right.reach].insertByEnd(right)
        case .link(let hash): links[hash] = right.id
        }
    }

    public mutating func remove(_ id: String) {
        guard let (right, holder) = held.removeValue(forKey: id).map({ ($0.right, $0.holder) }) else { return }
        let giver = right.giver.principal
        given[giver] = given[giver].flatMap { $0 > 1 ? $0 - 1 : nil }
        switch holder {
        case .link(let hash): links[hash] = nil
        case .principal(let principal):
            holdings[principal]?[right.bucket]?[right.reach].removeAll { $0.id == id }
            if holdings[principal]?[right.bucket]?.isEmpty ?? false { holdings[principal]?[right.bucket] = nil }
            if holdings[principal]?.isEmpty ?? false { holdings[principal] = nil }
        }
    }

    /// Forgets what has expired.
    public mutating func removeExpired(at now: Instant) {
        let expired = held.values.filter { $0.right.expiresAt <= now }
        for one in expired { remove(one.right.id) }
    }

    /// The right of a link, by the SHA-256 of its token.
    public func link(_ hash: [UInt8]) -> GivenRight? { links[hash].flatMap { right($0) } }

    /// The right of that id.
    public func right(_ id: String) -> GivenRight? { held[id]?.right }

    /// Of what somebody holds, what may be about that place, in the order in which it ends. What is about others is not looked
    /// at, however much there is.
    func rights(of principal: Principal, at target: AccessQuestion.Target) -> [GivenRight] {
        if case .link(let id) = principal {
            guard let held = held[id], case .link = held.holder else { return [] }
            return [held.right]
        }
        guard let bucket = target.bucket, let holding = holdings[principal]?[bucket] else { return [] }
        let found: [[GivenRight]]
        switch target {
        case .service: return []
        // Any part of it tells that it is there.
        case .bucket: found = holding.prefixes.values
        case .listing(_, let prefix): found = holding.prefixes.values(within: prefix)
        case .object(_, let key): found = [holding.keys[key] ?? []] + holding.prefixes.values(within: key.bytes)
        }
        return found.joined().sorted { $0.expiresAt < $1.expiresAt }
    }

    /// What permits the rest of what a question asks for: grants without a limit first, and of those the ones that end last,
    /// so that nothing ends earlier than it has to. Of what is used up, one at most, since every use is taken, and the one
    /// that ends first.
    ///
    /// - Parameters:
    ///   - missing: the actions that nothing else permits.
    ///   - giverMay: whether the giver may do so much there, and share it.
    func permit(
        _ missing: ActionSet,
        for question: AccessQuestion,
        giverMay: (GivenRight, ActionSet) -> Bool
    ) -> AllowReason? {
        var missing = missing
        var resting: [String] = []
        var counted: [GivenRight] = []
        for right in rights(of: question.principal, at: question.target).reversed() {
            let given = right.permitted(missing, for: question)
            if given.isEmpty { continue }
            if case .counted = right.uses {
                counted.append(right)
                continue
            }
            guard giverMay(right, given) else { continue }
            resting.append(right.id)
            missing.subtract(given)
            if missing.isEmpty { return .grants(resting) }
        }
        for right in counted.reversed() where !question.spentGrants.contains(right.id) {
            guard right.permitted(missing, for: question) == missing, giverMay(right, missing) else { continue }
            return .countedGrant(right.id, besides: resting)
        }
        return nil
    }
}

extension [GivenRight] {
    /// Behind those that end no later. What is made later mostly ends later, and is appended.
    fileprivate mutating func insertByEnd(_ right: GivenRight) {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].expiresAt <= right.expiresAt { low = middle + 1 } else { high = middle }
        }
        insert(right, at: low)
    }
}
