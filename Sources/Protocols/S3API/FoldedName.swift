/// A key, or what keys begin with, as a store may read it that keeps objects as files: `\` is `/`, several slashes are
/// one, and none stands in front.
///
/// All keys that are folded into one are one object at SeaweedFS, and Azure takes `\` for `/`. Whoever compares keys in
/// order to protect what lies behind them compares these as well (docs/decisions/0028-keys-that-are-one-at-the-store.md).
public struct FoldedName: Hashable, Sendable {
    public let bytes: [UInt8]

    public init(_ name: [UInt8]) {
        var folded: [UInt8] = []
        folded.reserveCapacity(name.count)
        var follows = true
        for byte in name {
            let isSlash = Self.isSlash(byte)
            if !(isSlash && follows) { folded.append(isSlash ? UInt8(ascii: "/") : byte) }
            follows = isSlash
        }
        bytes = folded
    }

    /// Whether folding changes nothing: so it is with nearly every key.
    public static func isFolded(_ name: [UInt8]) -> Bool {
        name.withUnsafeBufferPointer { name in
            var follows = true
            for byte in name {
                guard byte != UInt8(ascii: "\\"), byte != UInt8(ascii: "/") || !follows else { return false }
                follows = byte == UInt8(ascii: "/")
            }
            return true
        }
    }

    /// Whether a name begins with this, however its slashes are written.
    public func begins(_ name: [UInt8]) -> Bool {
        Self.isFolded(name) ? name.starts(with: bytes) : FoldedName(name).bytes.starts(with: bytes)
    }

    private static func isSlash(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "\\") }
}
