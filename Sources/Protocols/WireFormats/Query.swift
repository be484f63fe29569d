/// A query string taken apart: `&`-separated items in their order, name and value decoded exactly once, `+` a space.
/// At most ``maxItems`` items; empty pieces (`a&&b`) are not items.
public struct Query: Sendable {
    public struct Item: Hashable, Sendable {
        public let name: [UInt8]
        public let value: [UInt8]
        /// Whether an `=` was there: `?uploads` and `?uploads=` differ.
        public let hasEquals: Bool

        public init(name: [UInt8], value: [UInt8], hasEquals: Bool) {
            self.name = name
            self.value = value
            self.hasEquals = hasEquals
        }
    }

    @usableFromInline
    struct Entry: Sendable {
        @usableFromInline let name: Range<Int>
        @usableFromInline let value: Range<Int>
        @usableFromInline let hasEquals: Bool

        @inlinable
        init(name: Range<Int>, value: Range<Int>, hasEquals: Bool) {
            self.name = name
            self.value = value
            self.hasEquals = hasEquals
        }
    }

    public static let maxItems = 100

    /// All names and values decoded, one after the other: two allocations however many items.
    @usableFromInline var bytes: [UInt8]
    @usableFromInline var entries: [Entry]

    /// No items.
    public init() {
        bytes = []
        entries = []
    }

    /// `raw` is what follows the `?`.
    @inlinable
    public init(parsing raw: some Collection<UInt8>) throws(PercentEncodingError) {
        try self.init(encoded: [UInt8](raw))
    }

    @usableFromInline
    init(encoded raw: [UInt8]) throws(PercentEncodingError) {
        self.init()
        guard !raw.isEmpty else { return }
        bytes.reserveCapacity(raw.count)
        var rest = raw[...]
        while !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "&")) ?? rest.endIndex
            try append(rest[..<end])
            rest = end == rest.endIndex ? rest[end...] : rest[rest.index(after: end)...]
        }
    }

    private mutating func append(_ piece: ArraySlice<UInt8>) throws(PercentEncodingError) {
        guard !piece.isEmpty else { return }
        guard entries.count < Query.maxItems else { throw .tooManyItems }
        let equals = piece.firstIndex(of: UInt8(ascii: "="))
        let nameStart = bytes.count
        try PercentEncoding.appendDecoded(piece[..<(equals ?? piece.endIndex)], to: &bytes, plus: UInt8(ascii: " "))
        let valueStart = bytes.count
        if let equals {
            let value = piece[piece.index(after: equals)...]
            try PercentEncoding.appendDecoded(value, to: &bytes, plus: UInt8(ascii: " "))
        }
        entries.append(
            Entry(name: nameStart..<valueStart, value: valueStart..<bytes.count, hasEquals: equals != nil)
        )
    }

    public var isEmpty: Bool { entries.isEmpty }

    public var items: [Item] {
        entries.map { Item(name: Array(bytes[$0.name]), value: Array(bytes[$0.value]), hasEquals: $0.hasEquals) }
    }

    /// Calls `body` with each item in order, without copying any.
    @inlinable
    public func forEach<Failure: Error>(
        _ body: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, _ hasEquals: Bool) throws(Failure) -> Void
    ) throws(Failure) {
        for entry in entries { try body(bytes[entry.name], bytes[entry.value], entry.hasEquals) }
    }

    /// Names compare byte by byte, case included.
    public func count(of name: StaticString) -> Int {
        var count = 0
        for entry in entries where isNamed(entry, name) { count += 1 }
        return count
    }

    public func contains(_ name: StaticString) -> Bool {
        entries.contains { isNamed($0, name) }
    }

    /// Whether there is an item of that name in whatever case; `name` is given in lower case.
    public func contains(anyCase name: StaticString) -> Bool {
        entries.contains { entry in
            guard entry.name.count == name.utf8CodeUnitCount else { return false }
            return name.withUTF8Buffer { wanted in
                bytes[entry.name].elementsEqual(wanted) { $0 == $1 || ($0 &- 0x41 < 26 && $0 | 0x20 == $1) }
            }
        }
    }

    /// The first item's value, decoded; empty where it has none.
    public func first(_ name: StaticString) -> [UInt8]? {
        for entry in entries where isNamed(entry, name) { return Array(bytes[entry.value]) }
        return nil
    }

    /// Adds one item with a value, both raw (not encoded).
    @inlinable
    public mutating func append(_ name: some Sequence<UInt8>, _ value: some Sequence<UInt8>) {
        let nameStart = bytes.count
        bytes.append(contentsOf: name)
        let valueStart = bytes.count
        bytes.append(contentsOf: value)
        entries.append(Entry(name: nameStart..<valueStart, value: valueStart..<bytes.count, hasEquals: true))
    }

    /// Appends the canonical query of AWS Signature Version 4: `name=value` with both encoded, always with `=`, sorted
    /// by encoded name and then by encoded value. `excluding` leaves out every item of that (decoded) name.
    public func appendCanonical(to text: inout [UInt8], excluding: StaticString? = nil) {
        guard !entries.isEmpty else { return }
        var encoded: [UInt8] = []
        encoded.reserveCapacity(bytes.count + bytes.count / 2)
        var pieces: [(name: Range<Int>, value: Range<Int>)] = []
        pieces.reserveCapacity(entries.count)
        for entry in entries {
            if let excluding, isNamed(entry, excluding) { continue }
            let nameStart = encoded.count
            PercentEncoding.append(bytes[entry.name], to: &encoded, keepSlash: .encode)
            let valueStart = encoded.count
            PercentEncoding.append(bytes[entry.value], to: &encoded, keepSlash: .encode)
            pieces.append((nameStart..<valueStart, valueStart..<encoded.count))
        }
        pieces.sort { left, right in
            if encoded[left.name].elementsEqual(encoded[right.name]) {
                return encoded[left.value].lexicographicallyPrecedes(encoded[right.value])
            }
            return encoded[left.name].lexicographicallyPrecedes(encoded[right.name])
        }
        var isFirst = true
        for piece in pieces {
            if !isFirst { text.append(UInt8(ascii: "&")) }
            isFirst = false
            text.append(contentsOf: encoded[piece.name])
            text.append(UInt8(ascii: "="))
            text.append(contentsOf: encoded[piece.value])
        }
    }

    private func isNamed(_ entry: Entry, _ name: StaticString) -> Bool {
        guard entry.name.count == name.utf8CodeUnitCount else { return false }
        return name.withUTF8Buffer { wanted in bytes[entry.name].elementsEqual(wanted) }
    }
}
