/// An IPv4 or IPv6 address. IPv4-mapped IPv6 addresses (`::ffff:192.0.2.1`) are the IPv4 address they carry, so that
/// rules and limits can't be evaded by the other spelling (RFC 4291, section 2.5.5.2).
public enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    case v4(UInt32)
    case v6(high: UInt64, low: UInt64)

    /// Dotted decimal without leading zeros, or RFC 4291 text without zone; brackets and ports are not part of it.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8)
        guard bytes.count <= 45 else { return nil }
        if let address = IPAddress.parseV4(bytes[...]) {
            self = .v4(address)
        } else if let groups = IPAddress.parseV6(bytes[...]) {
            self.init(groups: groups)
        } else {
            return nil
        }
    }

    /// From the 4 or 16 bytes of a socket address, network order; nil for any other count.
    public init?(networkBytes bytes: some Collection<UInt8>) {
        if bytes.count == 4 {
            self = .v4(bytes.reduce(0) { $0 << 8 | UInt32($1) })
        } else if bytes.count == 16 {
            let all = Array(bytes)
            self.init(groups: (0..<8).map { UInt16(all[$0 * 2]) << 8 | UInt16(all[$0 * 2 + 1]) })
        } else {
            return nil
        }
    }

    private init(groups: [UInt16]) {
        let high = groups[..<4].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        let low = groups[4...].reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
        if high == 0, low >> 32 == 0xffff {
            self = .v4(UInt32(truncatingIfNeeded: low))
        } else {
            self = .v6(high: high, low: low)
        }
    }

    /// What limits by address count by: an IPv4 address as it is, an IPv6 address as its /64, because one subscriber
    /// has at least that many.
    public var rateLimitKey: IPAddress {
        switch self {
        case .v4: self
        case .v6(let high, _): .v6(high: high, low: 0)
        }
    }

    /// Dotted decimal, or the text of RFC 5952.
    public var description: String {
        switch self {
        case .v4(let address):
            return (0..<4).map { String(address >> UInt32(24 - 8 * $0) & 255) }.joined(separator: ".")
        case .v6(let high, let low):
            let groups = (0..<8).map { index -> UInt16 in
                UInt16(truncatingIfNeeded: (index < 4 ? high : low) >> UInt64(48 - 16 * (index % 4)))
            }
            return IPAddress.text(groups)
        }
    }

    private static func text(_ groups: [UInt16]) -> String {
        var longest = 0..<0
        var index = 0
        while index < 8 {
            var end = index
            while end < 8, groups[end] == 0 { end += 1 }
            if end - index > max(longest.count, 1) { longest = index..<end }
            index = max(end, index + 1)
        }
        let text: (Range<Int>) -> String = { range in
            groups[range].map { String($0, radix: 16) }.joined(separator: ":")
        }
        guard !longest.isEmpty else { return text(0..<8) }
        return text(0..<longest.lowerBound) + "::" + text(longest.upperBound..<8)
    }

    private static func parseV4(_ bytes: ArraySlice<UInt8>) -> UInt32? {
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var address: UInt32 = 0
        for part in parts {
            guard (1...3).contains(part.count), part.count == 1 || part.first != UInt8(ascii: "0") else { return nil }
            var value: UInt32 = 0
            for byte in part {
                guard byte &- UInt8(ascii: "0") < 10 else { return nil }
                value = value * 10 + UInt32(byte - UInt8(ascii: "0"))
            }
            guard value < 256 else { return nil }
            address = address << 8 | value
        }
        return address
    }

    private static func parseV6(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        let colon = UInt8(ascii: ":")
        guard let gap = bytes.indices.dropLast().first(where: { bytes[$0] == colon && bytes[$0 + 1] == colon }) else {
            guard let groups = parseGroups(bytes), groups.count == 8 else { return nil }
            return groups
        }
        let before = bytes[..<gap]
        let after = bytes[(gap + 2)...]
        guard let left = before.isEmpty ? [] : parseGroups(before),
            let right = after.isEmpty ? [] : parseGroups(after),
            !before.contains(UInt8(ascii: ".")), left.count + right.count <= 7
        else { return nil }
        return left + [UInt16](repeating: 0, count: 8 - left.count - right.count) + right
    }

    /// Colon-separated groups; the last may be dotted decimal and then counts as two.
    private static func parseGroups(_ bytes: ArraySlice<UInt8>) -> [UInt16]? {
        let parts = bytes.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard let address = parseV4(part) else { return nil }
                groups.append(UInt16(truncatingIfNeeded: address >> 16))
                groups.append(UInt16(truncatingIfNeeded: address))
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var value: UInt16 = 0
            for byte in part {
                guard let digit = Hex.value(of: byte) else { return nil }
                value = value << 4 | UInt16(digit)
            }
            groups.append(value)
        }
        return groups
    }
}
