import HTTP1
import S3API
import WireFormats

/// Names and values of user metadata as Azure can keep them: names are C# identifiers there, values ASCII (Microsoft,
/// "Setting and retrieving properties and metadata").
///
/// A hyphen becomes `_`; what no identifier has becomes `_xHH`: `foo-bar` → `foo_bar`, `foo_bar` → `foo_x5fbar`. What can't be
/// made so is ours: `gatehouse_xparts`.
enum AzureMetadata {
    /// How many parts a blob was put together from. Who has a URL that puts can say it too: see ``count(_:)``.
    static let parts: StaticString = "x-ms-meta-gatehouse_xparts"
    /// `Expires`, which Azure doesn't keep.
    static let expires: StaticString = "x-ms-meta-gatehouse_xexpires"
    /// An unfinished upload's key, in base64url.
    static let key: StaticString = "x-ms-meta-gatehouse_xkey"

    /// - Parameter name: what follows `x-amz-meta-`, in lower case.
    static func stored(name: ArraySlice<UInt8>) -> [UInt8] {
        var stored: [UInt8] = []
        for place in name.indices {
            let byte = name[place]
            let next = name.index(after: place) < name.endIndex ? name[place + 1] : 0
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"): stored.append(byte)
            case UInt8(ascii: "0")...UInt8(ascii: "9") where place != name.startIndex: stored.append(byte)
            // What follows would be taken for an escaped byte.
            case UInt8(ascii: "-") where next != UInt8(ascii: "x"): stored.append(UInt8(ascii: "_"))
            default:
                stored.append(contentsOf: "_x".utf8)
                stored.append(contentsOf: Hex.encode([byte]).utf8)
            }
        }
        return stored
    }

    /// The number of parts that metadata say: one that can be. It stands in an ETag and decides nothing.
    static func count(_ value: some Collection<UInt8>) -> Int? {
        decimal(value).flatMap { (1...10_000).contains($0) ? $0 : nil }
    }

    /// The client's name, in lower case; nil for one of ours, and for what no client of S3's could have sent: whoever has a
    /// URL of Azure's gives what names they like.
    static func shown(name: ArraySlice<UInt8>) -> [UInt8]? {
        var shown: [UInt8] = []
        var rest = name.map { lowered($0) }[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "_") else {
                shown.append(byte)
                continue
            }
            guard rest.first == UInt8(ascii: "x") else {
                shown.append(UInt8(ascii: "-"))
                continue
            }
            guard let escaped = Hex.decode(Array(rest.dropFirst().prefix(2))), escaped.count == 1 else { return nil }
            shown += escaped
            rest = rest.dropFirst(3)
        }
        guard Token.isSpelt(by: shown), shown.allSatisfy({ lowered($0) == $0 }),
            stored(name: shown[...]).elementsEqual(name.map { lowered($0) })
        else { return nil }
        return shown
    }

    /// What S3 itself tells of a value that is not ASCII: it encoded (RFC 2047).
    static func stored(value: ArraySlice<UInt8>) -> [UInt8] {
        guard value.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) else {
            return Array("=?UTF-8?B?\(Base64.encode(value))?=".utf8)
        }
        return Array(value)
    }
}
