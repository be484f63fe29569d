public import NIOCore
public import S3API

/// What a client's body goes through on its way to a store: taken out of the form it was sent in, held against everything
/// that was promised of it, and put into the form in which the store gets it.
///
/// A store may commit a body as soon as its last byte arrives, whatever its hash; so the last bytes (at most
/// ``reserve``) stay here until all of them have been checked. If anything disagrees, the store has an incomplete request
/// and its connection is cut: nothing is committed.
///
/// A value without I/O. Where nothing is promised of a body there is none, and bytes pass untouched.
public struct BodyVerifier: Sendable {
    /// The most that is held back, in bytes.
    public static let reserve: Int64 = 16 * 1024

    private var framing: Framing
    private var checks: [BodyCheck]
    /// Bytes that may still pass before the reserve begins.
    private var passing: Int64
    /// Bytes that are still to come.
    private var missing: Int64
    private var held: ByteBuffer?

    /// The form in which the client sends its bytes, once HTTP's own framing is taken off.
    enum Framing: Sendable {
        /// As they are.
        case plain
        /// The last part of a form, of which `beginning` came with what precedes it.
        case form(FormFileDecoder, beginning: ByteBuffer)
    }

    /// - Parameter length: of what goes to the store, in bytes.
    init(_ framing: Framing, length: Int64, checks: [BodyCheck]) {
        self.framing = framing
        self.checks = checks
        passing = max(0, length - Self.reserve)
        missing = length
    }

    /// Takes the next bytes that the client sent and returns those that may be sent on now, none of them empty.
    ///
    /// - Throws: what is wrong with the body. It must not be used any further then.
    public mutating func take(_ bytes: ByteBuffer) throws(S3Error) -> [ByteBuffer] {
        switch framing {
        case .plain: return try pass(bytes).map { [$0] } ?? []
        case .form: return try takeOfForm(bytes)
        }
    }

    private mutating func takeOfForm(_ bytes: ByteBuffer) throws(S3Error) -> [ByteBuffer] {
        guard case .form(var file, let beginning) = framing else { return [] }
        var pieces = try file.take(beginning)
        pieces += try file.take(bytes)
        framing = .form(file, beginning: ByteBuffer())
        var free: [ByteBuffer] = []
        for piece in pieces {
            // The file's length was reckoned from how forms usually end.
            guard Int64(piece.readableBytes) <= missing else { throw Self.otherEnding }
            if let passed = try pass(piece) { free.append(passed) }
        }
        return free
    }

    private static var otherEnding: S3Error {
        S3Error(.malformedPOSTRequest, "The form must end in its boundary, two hyphens and a line's end.")
    }

    /// After the client's last byte: what was held back.
    ///
    /// - Throws: what is wrong with the body: `IncompleteBody`, `XAmzContentSHA256Mismatch`.
    public mutating func finish() throws(S3Error) -> ByteBuffer {
        if case .form(let file, _) = framing {
            try file.finish()
            guard missing == 0 else { throw Self.otherEnding }
        }
        guard missing == 0 else { throw S3Error(.incompleteBody) }
        for place in checks.indices { try checks[place].finish() }
        return held ?? ByteBuffer()
    }

    /// Takes bytes of the object itself.
    private mutating func pass(_ bytes: ByteBuffer) throws(S3Error) -> ByteBuffer? {
        missing -= Int64(bytes.readableBytes)
        guard missing >= 0 else { throw S3Error(.incompleteBody) }
        for place in checks.indices { checks[place].update(bytes) }
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
}
