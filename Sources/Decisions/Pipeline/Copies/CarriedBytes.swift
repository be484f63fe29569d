public import NIOCore
public import WireFormats

/// The bytes of a source on their way to a destination: counted, summed up, and the last of them kept back until all have
/// been seen, because a store may commit a body as soon as its last byte arrives.
///
/// A value without I/O.
public struct CarriedBytes: Sendable {
    /// The most that is kept back, in bytes.
    public static let reserve: Int64 = 16 * 1024

    public private(set) var checksums: [Checksum]
    private let agrees: (@Sendable ([Checksum]) -> Bool)?
    /// Bytes that may still pass before the reserve begins.
    private var passing: Int64
    /// Bytes that are still to come.
    public private(set) var missing: Int64
    private var held: ByteBuffer?

    public init(_ delivery: Delivery) {
        checksums = delivery.checksums
        agrees = delivery.agrees
        missing = delivery.length
        passing = max(0, delivery.length - (delivery.agrees == nil ? 0 : Self.reserve))
    }

    public enum Taken: Sendable {
        /// What may be sent on now; nil: nothing yet.
        case free(ByteBuffer?)
        /// There are more than was said.
        case tooMany
    }

    public mutating func take(_ bytes: ByteBuffer) -> Taken {
        missing -= Int64(bytes.readableBytes)
        guard missing >= 0 else { return .tooMany }
        bytes.withUnsafeReadableBytes { all in
            for place in checksums.indices { checksums[place].update(all) }
        }
        var bytes = bytes
        let now = Int(min(passing, Int64(bytes.readableBytes)))
        passing -= Int64(now)
        let free = bytes.readSlice(length: now)
        if bytes.readableBytes > 0 {
            if held == nil { held = ByteBuffer() }
            held?.writeBuffer(&bytes)
        }
        return .free(now > 0 ? free : nil)
    }

    public enum Ended: Sendable {
        /// What was kept back: the rest of the body.
        case whole(ByteBuffer)
        /// The source ended before its length.
        case tooFew
        /// These are not the bytes that the source's checksum is of.
        case differing
    }

    /// After the source's last byte.
    public func finish() -> Ended {
        guard missing == 0 else { return .tooFew }
        guard agrees?(checksums) ?? true else { return .differing }
        return .whole(held ?? ByteBuffer())
    }
}
