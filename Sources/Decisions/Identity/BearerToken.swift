public import Crypto

/// A token as it was presented: not verified, and worth nothing until it is (RFC 6750, section 2.1).
public struct BearerToken: Sendable {
    /// Longer ones are refused unread.
    public static let maximumLength = 16 * 1024

    public let bytes: [UInt8]

    /// Nil where it is empty, too long, or has characters that no token has.
    public init?(_ text: some Collection<UInt8>) {
        guard !text.isEmpty, text.count <= Self.maximumLength, text.allSatisfy(Self.isTokenByte) else { return nil }
        bytes = Array(text)
    }

    /// The token of an `Authorization` value; nil where the value is of another scheme, or has no readable token.
    public init?(authorization value: ArraySlice<UInt8>) {
        let scheme = "bearer".utf8
        guard value.count > scheme.count, zip(value, scheme).allSatisfy({ $0 | 0x20 == $1 }) else { return nil }
        let rest = value.dropFirst(scheme.count)
        guard rest.first == 0x20 else { return nil }
        self.init(rest.drop { $0 == 0x20 })
    }

    /// Names the token in caches and logs without being of use to anybody else.
    public var digest: SHA256.Digest { SHA256.hash(data: bytes) }

    /// `b64token` of RFC 6750.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~+/=".utf8.contains(byte)
        }
    }
}
