/// A bucket's name as AWS allows it: 3 to 63 bytes of lower-case letters, digits, `-` and `.`, beginning and ending
/// with a letter or digit, without `..`, and not an IPv4 address (S3 User Guide, "General purpose bucket naming
/// rules"). None begins with `-`, which keeps the reserved path `/-/` free.
public struct BucketName: Hashable, Sendable, CustomStringConvertible {
    public let string: String

    public init?(validating name: some Collection<UInt8>) {
        guard (3...63).contains(name.count) else { return nil }
        var previous = UInt8(ascii: ".")
        var onlyAddressCharacters = true
        var dots = 0
        for byte in name {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"):
                onlyAddressCharacters = false
            case UInt8(ascii: "0")...UInt8(ascii: "9"):
                break
            case UInt8(ascii: "-"):
                guard previous != UInt8(ascii: ".") else { return nil }
                onlyAddressCharacters = false
            case UInt8(ascii: "."):
                guard previous != UInt8(ascii: "."), previous != UInt8(ascii: "-") else { return nil }
                dots += 1
            default:
                return nil
            }
            previous = byte
        }
        guard previous != UInt8(ascii: "."), previous != UInt8(ascii: "-") else { return nil }
        guard !(onlyAddressCharacters && dots == 3) else { return nil }
        string = String(decoding: name, as: UTF8.self)
    }

    public init?(validating name: String) {
        self.init(validating: name.utf8)
    }

    public var description: String { string }
    public var utf8: String.UTF8View { string.utf8 }
}
