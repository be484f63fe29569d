public import HTTP1
public import NIOCore
public import S3API
import WireFormats

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

    /// The form in which the client sends its bytes, once HTTP's own framing is taken off.
    enum Framing: Sendable {
        /// As they are.
        case plain
        /// The last part of a form, of which `beginning` came with what precedes it.
        case form(FormFileDecoder, beginning: ByteBuffer)
        case awsChunked(AWSChunkedBody)
    }

    /// What the body becomes: a checksum of it is told accordingly.
    enum Product { case object, part }

    private var framing: Framing
    private let product: Product
    private var checks: [BodyCheck]
    /// Bytes of the object that may still pass before the reserve begins.
    private var passing: Int64
    /// Bytes of the object that are still to come.
    private var missing: Int64
    private var held: ByteBuffer?
    /// Puts the body into the form in which the store gets it; nil: as it is.
    private var encoder: AWSChunkedEncoder?
    private var isFinished = false

    /// - Parameters:
    ///   - length: of the object, in bytes.
    ///   - encoder: of the form in which the body goes to the store, with a checksum that the client gives behind it;
    ///     nil: as it is.
    init(
        _ framing: Framing,
        of product: Product,
        length: Int64,
        checks: [BodyCheck],
        encoder: AWSChunkedEncoder? = nil
    ) {
        self.framing = framing
        self.product = product
        self.checks = checks
        self.encoder = encoder
        passing = max(0, length - Self.reserve)
        missing = length
    }

    /// Takes the next bytes that the client sent and returns those that may be sent on now, none of them empty.
    ///
    /// - Throws: what is wrong with the body. It must not be used any further then.
    public mutating func take(_ bytes: ByteBuffer) throws(S3Error) -> [ByteBuffer] {
        var free: [ByteBuffer] = []
        switch framing {
        case .plain:
            try pass(bytes, to: &free)
        case .form:
            try takeOfForm(bytes, to: &free)
        case .awsChunked(var body):
            // Taken out, so that what is changed here is the only copy.
            framing = .plain
            var bytes = bytes
            while let data = try body.next(&bytes) { try pass(data, to: &free) }
            framing = .awsChunked(body)
        }
        return free
    }

    private mutating func takeOfForm(_ bytes: ByteBuffer, to free: inout [ByteBuffer]) throws(S3Error) {
        guard case .form(var file, let beginning) = framing else { return }
        var pieces = try file.take(beginning)
        pieces += try file.take(bytes)
        framing = .form(file, beginning: ByteBuffer())
        for piece in pieces {
            // The file's length was reckoned from how forms usually end.
            guard Int64(piece.readableBytes) <= missing else { throw Self.otherEnding }
            try pass(piece, to: &free)
        }
    }

    private static var otherEnding: S3Error {
        S3Error(.malformedPOSTRequest, "The form must end in its boundary, two hyphens and a line's end.")
    }

    /// After the client's last byte: what was held back.
    ///
    /// - Throws: what is wrong with the body: `IncompleteBody`, `XAmzContentSHA256Mismatch`, `BadDigest`,
    ///   `MalformedTrailerError`.
    public mutating func finish() throws(S3Error) -> [ByteBuffer] {
        var rest: [ByteBuffer] = []
        // A form may have come whole with what precedes its file.
        try takeOfForm(ByteBuffer(), to: &rest)
        switch framing {
        case .plain: break
        case .awsChunked(var body):
            try body.finish()
            if let digest = body.digest { expect(digest) }
        case .form(let file, _):
            try file.finish()
            guard missing == 0 else { throw Self.otherEnding }
        }
        guard missing == 0 else { throw S3Error(.incompleteBody) }
        for check in checks { try check.finish() }
        isFinished = true
        if let held { send(held, to: &rest) }
        held = nil
        if let encoder, let digest = checksum?.digest { rest.append(encoder.finish(digest)) }
        return rest
    }

    /// Once the body is whole: the checksum that its sender gave.
    var checksum: (algorithm: ChecksumAlgorithm, digest: [UInt8])? {
        guard isFinished else { return nil }
        for check in checks {
            if case .checksum(let algorithm) = check.promise, let digest = check.expected { return (algorithm, digest) }
        }
        return nil
    }

    /// Tells the client the checksum that its body was found to have, where the store's answer, a success, does not.
    public func acknowledge(in fields: inout FieldBlock) {
        guard let (algorithm, digest) = checksum,
            !fields.entries.contains(where: { fields.hasPrefix($0, "x-amz-checksum-") })
        else { return }
        fields.append(algorithm.header, Base64.encode(digest).utf8)
        if product == .object { fields.append("x-amz-checksum-type", "FULL_OBJECT".utf8) }
    }

    /// The trailer told what its checksum must be.
    private mutating func expect(_ digest: [UInt8]) {
        for place in checks.indices where checks[place].expected == nil { checks[place].expected = digest }
    }

    /// Takes bytes of the object itself.
    private mutating func pass(_ bytes: ByteBuffer, to free: inout [ByteBuffer]) throws(S3Error) {
        missing -= Int64(bytes.readableBytes)
        guard missing >= 0 else { throw S3Error(.incompleteBody) }
        bytes.withUnsafeReadableBytes { bytes in
            for place in checks.indices { checks[place].update(bytes) }
        }
        var bytes = bytes
        let now = Int(min(passing, Int64(bytes.readableBytes)))
        if now > 0, let slice = bytes.readSlice(length: now) {
            passing -= Int64(now)
            send(slice, to: &free)
        }
        if bytes.readableBytes > 0 {
            if held == nil { held = ByteBuffer() }
            held?.writeBuffer(&bytes)
        }
    }

    private mutating func send(_ bytes: ByteBuffer, to free: inout [ByteBuffer]) {
        guard encoder != nil else {
            free.append(bytes)
            return
        }
        encoder?.frame(bytes) { free.append($0) }
    }
}
