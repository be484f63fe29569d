/// A set of an enumeration's cases in one word.
///
/// `Case` has no payloads and at most 64 cases: Swift then lays a value out as one byte, its place in the
/// declaration, which a test asserts for each enumeration used here.
struct EnumerationSet<Case: CaseIterable & Sendable>: Hashable, Sendable {
    private(set) var bits: UInt64 = 0

    init() {}

    init(_ cases: some Sequence<Case>) {
        for element in cases { insert(element) }
    }

    static func ordinal(_ element: Case) -> UInt8 {
        unsafeBitCast(element, to: UInt8.self)
    }

    var isEmpty: Bool { bits == 0 }
    var count: Int { bits.nonzeroBitCount }

    func contains(_ element: Case) -> Bool {
        bits & (1 << UInt64(Self.ordinal(element))) != 0
    }

    /// - Returns: whether the element is new.
    @discardableResult
    mutating func insert(_ element: Case) -> Bool {
        let bit: UInt64 = 1 << UInt64(Self.ordinal(element))
        defer { bits |= bit }
        return bits & bit == 0
    }

    func intersection(_ other: Self) -> Self {
        var result = Self()
        result.bits = bits & other.bits
        return result
    }

    func isSubset(of other: Self) -> Bool {
        bits & ~other.bits == 0
    }
}
