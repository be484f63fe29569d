import HTTP1

/// The names of the fields that a signature covers: lower case, strictly ascending, `host` among them is for the
/// verifier to demand.
public struct SignedHeaders: Hashable, Sendable {
    /// As sent: `host;x-amz-date`.
    public let text: [UInt8]
    private let names: [Range<Int>]

    static let maxNames = 100

    /// nil where a name is empty, not a lower-case token, repeated or out of order, or where there are too many.
    public init?(_ text: some Collection<UInt8>) {
        let bytes = Array(text)
        var names: [Range<Int>] = []
        names.reserveCapacity(12)
        var start = 0
        for end in 0...bytes.count where end == bytes.count || bytes[end] == UInt8(ascii: ";") {
            let name = start..<end
            guard !name.isEmpty, names.count < SignedHeaders.maxNames else { return nil }
            if let last = names.last, !bytes[last].lexicographicallyPrecedes(bytes[name]) { return nil }
            names.append(name)
            start = end + 1
        }
        for byte in bytes where !SignedHeaders.isAllowed(byte) { return nil }
        self.text = bytes
        self.names = names
    }

    public var count: Int { names.count }

    public func name(_ index: Int) -> ArraySlice<UInt8> { text[names[index]] }

    /// `name` may be in any case.
    public func contains(_ name: ArraySlice<UInt8>) -> Bool {
        names.contains { range in
            guard range.count == name.count else { return false }
            var index = range.lowerBound
            for byte in name {
                if lowered(byte) != text[index] { return false }
                index += 1
            }
            return true
        }
    }

    public func contains(_ name: StaticString) -> Bool {
        name.withUTF8Buffer { wanted in names.contains { text[$0].elementsEqual(wanted) } }
    }

    /// Token characters of RFC 9110 in lower case, and the separator.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        if byte &- UInt8(ascii: "a") < 26 || byte &- UInt8(ascii: "0") < 10 { return true }
        return switch byte {
        case UInt8(ascii: ";"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"),
            UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "^"), UInt8(ascii: "`"), UInt8(ascii: "|"),
            UInt8(ascii: "~"):
            true
        default: false
        }
    }
}
