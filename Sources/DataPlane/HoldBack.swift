import Crypto
package import NIOCore

/// Keeps the end of a body back until the digest of the whole agrees with the one its sender signed.
///
/// A store may commit a body as soon as its last byte arrives, whatever its hash; so the last bytes (at most
/// ``reserve``) stay here until everything has been hashed. If the digest differs, the store has an incomplete request
/// and its connection is cut: nothing is committed.
package struct HoldBack {
    package static let reserve: Int64 = 16 * 1024

    private let expected: [UInt8]
    private var hash = SHA256()
    /// Bytes that may still pass before the reserve begins.
    private var passing: Int64
    private var held: ByteBuffer?

    /// - Parameters:
    ///   - length: of the whole body, in bytes.
    ///   - sha256: 32 bytes.
    package init(length: Int64, sha256: [UInt8]) {
        expected = sha256
        passing = max(0, length - Self.reserve)
    }

    /// Takes the next bytes of the body and returns those that may be sent on now.
    package mutating func take(_ bytes: ByteBuffer) -> ByteBuffer? {
        bytes.withUnsafeReadableBytes { hash.update(bufferPointer: $0) }
        var bytes = bytes
        let now = Int(min(passing, Int64(bytes.readableBytes)))
        let free = bytes.readSlice(length: now)
        passing -= Int64(now)
        if bytes.readableBytes > 0 {
            if held == nil { held = ByteBuffer() }
            held?.writeBuffer(&bytes)
        }
        return now > 0 ? free : nil
    }

    /// After the last byte: what was held back, or nil where the digest differs.
    package mutating func release() -> ByteBuffer? {
        let digest = hash.finalize()
        guard digest == expected else { return nil }
        return held ?? ByteBuffer()
    }
}
