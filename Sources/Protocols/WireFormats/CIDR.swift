/// A range of addresses: `10.0.0.0/8`, `2001:db8::/32`, or a bare address, which is a range of one (RFC 4632).
public struct CIDR: Hashable, Sendable, CustomStringConvertible {
    private let network: IPAddress
    private let prefixLength: Int

    /// nil for anything else: host bits may be set (`10.1.2.3/8`), a prefix longer than the address may not.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = parts.first, let address = IPAddress(first) else { return nil }
        var width = address.width
        if parts.count == 2 {
            let digits = parts[1].utf8
            guard (1...3).contains(digits.count), digits.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
                digits.count == 1 || digits.first != UInt8(ascii: "0"), var length = Int(parts[1])
            else { return nil }
            if width == 32, first.utf8.contains(UInt8(ascii: ":")) {
                // An IPv4-mapped range counts its prefix in 128 bits.
                guard length >= 96 else { return nil }
                length -= 96
            }
            guard length <= width else { return nil }
            width = length
        }
        network = address.masked(to: width)
        prefixLength = width
    }

    /// An IPv4 range holds no IPv6 addresses, and the other way round.
    public func contains(_ address: IPAddress) -> Bool {
        address.width == network.width && address.masked(to: prefixLength) == network
    }

    public var description: String { "\(network)/\(prefixLength)" }
}

extension IPAddress {
    fileprivate var width: Int {
        switch self {
        case .v4: 32
        case .v6: 128
        }
    }

    fileprivate func masked(to length: Int) -> IPAddress {
        switch self {
        case .v4(let address):
            // Shifts by the whole width yield zero in Swift.
            .v4(address & ~(UInt32.max >> UInt32(length)))
        case .v6(let high, let low):
            .v6(
                high: high & ~(UInt64.max >> UInt64(min(length, 64))),
                low: low & ~(UInt64.max >> UInt64(max(length - 64, 0)))
            )
        }
    }
}
