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
        entries.reserveCapacity(8)
        try raw.withUnsafeBufferPointer { (raw) throws(PercentEncodingError) in
            var index = 0
            while index < raw.count {
                if raw[index] != UInt8(ascii: "&") { try appendItem(raw, at: &index) }
                index += 1
            }
        }
    }

    /// Reads the item that begins at `index`, which moves to the `&` behind it or to the end.
    private mutating func appendItem(
        _ raw: UnsafeBufferPointer<UInt8>,
        at index: inout Int
    ) throws(PercentEncodingError) {
        guard entries.count < Query.maxItems else { throw .tooManyItems }
        let nameStart = bytes.count
        try appendDecoded(raw, at: &index, isName: true)
        let valueStart = bytes.count
        let hasEquals = index < raw.count && raw[index] == UInt8(ascii: "=")
        if hasEquals {
            index += 1
            try appendDecoded(raw, at: &index, isName: false)
        }
        entries.append(Entry(name: nameStart..<valueStart, value: valueStart..<bytes.count, hasEquals: hasEquals))
    }

    /// Decodes up to the next `&`, or `=` in a name. What needs no decoding is copied in runs.
    private mutating func appendDecoded(
        _ raw: UnsafeBufferPointer<UInt8>,
        at index: inout Int,
        isName: Bool
    ) throws(PercentEncodingError) {
        var runStart = index
        while index < raw.count {
            let byte = raw[index]
            if byte == UInt8(ascii: "&") || (isName && byte == UInt8(ascii: "=")) { break }
            if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") {
                bytes.append(contentsOf: UnsafeBufferPointer(rebasing: raw[runStart..<index]))
                if byte == UInt8(ascii: "+") {
                    bytes.append(UInt8(ascii: " "))
                } else {
                    guard index + 2 < raw.count, let high = Hex.value(of: raw[index + 1]),
                        let low = Hex.value(of: raw[index + 2])
                    else { throw .malformedEscape }
                    bytes.append(high << 4 | low)
                    index += 2
                }
                runStart = index + 1
            }
            index += 1
        }
        if runStart < index { bytes.append(contentsOf: UnsafeBufferPointer(rebasing: raw[runStart..<index])) }
    }

    public var isEmpty: Bool { entries.isEmpty }

    /// How many items there are; each has its place from 0 on.
    @inlinable
    public var count: Int { entries.count }

    @inlinable
    public func name(at place: Int) -> ArraySlice<UInt8> { bytes[entries[place].name] }

    /// Decoded; empty where the item has none.
    @inlinable
    public func value(at place: Int) -> ArraySlice<UInt8> { bytes[entries[place].value] }

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
        let start = text.count
        text.reserveCapacity(start + bytes.count * 3 / 2 + entries.count * 2)
        var pieces: [CanonicalPiece] = []
        pieces.reserveCapacity(entries.count)
        var isSorted = true
        for entry in entries {
            if let excluding, isNamed(entry, excluding) { continue }
            if !pieces.isEmpty { text.append(UInt8(ascii: "&")) }
            let nameStart = text.count
            appendEncoded(entry.name, to: &text)
            let nameEnd = text.count
            text.append(UInt8(ascii: "="))
            appendEncoded(entry.value, to: &text)
            let piece = CanonicalPiece(name: nameStart..<nameEnd, value: nameEnd + 1..<text.count)
            if isSorted, let last = pieces.last {
                isSorted = text.withUnsafeBufferPointer { !piece.precedes(last, in: $0) }
            }
            pieces.append(piece)
        }
        // Clients mostly write their parameters in the order they sign them in.
        guard !isSorted else { return }
        let sorted = text.withUnsafeBufferPointer { all in
            pieces.sort { $0.precedes($1, in: all) }
            var sorted: [UInt8] = []
            sorted.reserveCapacity(all.count - start)
            for piece in pieces {
                if !sorted.isEmpty { sorted.append(UInt8(ascii: "&")) }
                sorted.append(
                    contentsOf: UnsafeBufferPointer(rebasing: all[piece.name.lowerBound..<piece.value.upperBound])
                )
            }
            return sorted
        }
        text.replaceSubrange(start..., with: sorted)
    }

    private func appendEncoded(_ range: Range<Int>, to text: inout [UInt8]) {
        bytes.withUnsafeBufferPointer { all in
            PercentEncoding.append(UnsafeBufferPointer(rebasing: all[range]), to: &text, keepSlash: .encode)
        }
    }

    private func isNamed(_ entry: Entry, _ name: StaticString) -> Bool {
        guard entry.name.count == name.utf8CodeUnitCount else { return false }
        return bytes.withUnsafeBufferPointer { all in
            name.withUTF8Buffer { wanted in
                for offset in 0..<wanted.count where all[entry.name.lowerBound + offset] != wanted[offset] {
                    return false
                }
                return true
            }
        }
    }
}

/// One `name=value` of a canonical query, as ranges of the text it stands in.
private struct CanonicalPiece {
    let name: Range<Int>
    let value: Range<Int>

    /// By name, then by value, bytewise.
    func precedes(_ other: CanonicalPiece, in text: UnsafeBufferPointer<UInt8>) -> Bool {
        switch CanonicalPiece.compare(name, other.name, in: text) {
        case 0: CanonicalPiece.compare(value, other.value, in: text) < 0
        case let order: order < 0
        }
    }

    private static func compare(_ left: Range<Int>, _ right: Range<Int>, in text: UnsafeBufferPointer<UInt8>) -> Int {
        for offset in 0..<min(left.count, right.count) {
            let (a, b) = (text[left.lowerBound + offset], text[right.lowerBound + offset])
            if a != b { return a < b ? -1 : 1 }
        }
        return left.count - right.count
    }
}
