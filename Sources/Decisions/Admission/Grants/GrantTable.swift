public import Identity
import S3API
public import WireFormats

/// The grants in force, by who holds them: asked where nothing else permits what a request needs.
public struct GrantTable: BookContent {
    public enum Holder: Hashable, Sendable {
        case principal(Principal)
        /// Whoever has the link: the SHA-256 of its token.
        case link(hash: [UInt8])
    }

    /// Of each holder, in the order in which they end.
    private var rights: [Holder: [GivenRight]] = [:]
    private var holders: [String: Holder] = [:]
    /// Of links, by the principal that their holders are.
    private var links: [String: GivenRight] = [:]
    private var given: [Principal: Int] = [:]

    public init() {}

    public var count: Int { holders.count }
    public var isEmpty: Bool { holders.isEmpty }

    /// How many of them somebody gave.
    public func count(givenBy principal: Principal) -> Int { given[principal] ?? 0 }

    /// Adds a right, or replaces the one of the same id.
    public mutating func insert(_ right: GivenRight, for holder: Holder) {
        remove(right.id)
        holders[right.id] = holder
        rights[holder, default: []].insertByEnd(right)
        given[right.giver.principal, default: 0] += 1
        if case .link = holder { links[right.id] = right }
    }

    public mutating func remove(_ id: String) {
        guard let holder = holders.removeValue(forKey: id) else { return }
        links[id] = nil
        guard let place = rights[holder]?.firstIndex(where: { $0.id == id }),
            let right = rights[holder]?.remove(at: place)
        else { return }
        let giver = right.giver.principal
        given[giver] = given[giver].flatMap { $0 > 1 ? $0 - 1 : nil }
        if rights[holder]?.isEmpty ?? false { rights[holder] = nil }
    }

    /// Forgets what has expired.
    public mutating func removeExpired(at now: Instant) {
        let expired = rights.values.joined().filter { $0.expiresAt <= now }
        for right in expired { remove(right.id) }
    }

    /// The right of a link, by the SHA-256 of its token.
    public func link(_ hash: [UInt8]) -> GivenRight? { rights[.link(hash: hash)]?.first }

    /// The right of that id.
    public func right(_ id: String) -> GivenRight? {
        guard let holder = holders[id] else { return nil }
        return rights[holder]?.first { $0.id == id }
    }

    func held(by principal: Principal) -> [GivenRight] {
        if case .link(let id) = principal { return links[id].map { [$0] } ?? [] }
        return rights[.principal(principal)] ?? []
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
        for right in held(by: question.principal).reversed() {
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
