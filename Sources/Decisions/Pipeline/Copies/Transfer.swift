public import HTTP1
public import S3API
public import WireFormats

/// A copy whose bytes pass through Gatehouse, because no store can reach both ends: a chain of steps, each a value that
/// says what comes after it. It can only be made from an ``Admitted`` request, both ends of which were decided.
public final class Transfer: Sendable {
    /// The label of the store that is written to, for the log.
    public let backend: String
    public let first: TransferStep

    init(admitted: Admitted, to destination: Bucket, first: TransferStep) {
        precondition(admitted.source != nil, "a transfer has a source")
        backend = destination.upstream.name
        self.first = first
    }
}

/// What a transfer does next. Steps are made when they are due: long copies outlive a signature.
public enum TransferStep: Sendable {
    case ask(StoreQuestion)
    case carry(Carriage)
    /// The transfer is over, and this is its answer.
    case finish(Reply)
}

/// A short exchange with one store.
public struct StoreQuestion: Sendable {
    public enum Purpose: Sendable {
        /// A part of the copy: not begun once the client has left.
        case copying
        /// Takes back what was begun: made whether or not anybody waits.
        case cleanup
    }

    public let upstream: Upstream
    public let request: OutgoingRequest
    public var body: [UInt8] = []
    public var purpose = Purpose.copying
    public let replay: Replay
    /// How much of the answer's body is read; more of it is a failure.
    public let limit: Int
    public let next: @Sendable (StoreReply) -> TransferStep
    public let failed: @Sendable (TransferFailure) -> TransferStep
}

/// A store's complete answer.
public struct StoreReply: Sendable {
    public let head: ResponseHead
    public let body: [UInt8]
    /// When it was complete: the next request's signature is of this time.
    public let now: Instant

    public init(head: ResponseHead, body: [UInt8], now: Instant) {
        self.head = head
        self.body = body
        self.now = now
    }
}

/// One store's answer becomes the body of a request to another, as fast as the slower of them.
public struct Carriage: Sendable {
    public let upstream: Upstream
    /// Reads the source.
    public let request: OutgoingRequest
    /// How much is read of an answer that is not what shall be copied.
    public let limit: Int
    /// What the source's answer is good for, known once its head is.
    public let begin: @Sendable (ResponseHead, Instant) -> CarriageStart
    public let failed: @Sendable (TransferFailure) -> TransferStep
}

public enum CarriageStart: Sendable {
    case deliver(Delivery)
    /// Not what was asked for: its body is read as a document, nothing is sent anywhere.
    case leave(then: @Sendable (StoreReply) -> TransferStep)
}

/// The request that takes a source's bytes to their destination.
public struct Delivery: Sendable {
    public let upstream: Upstream
    public let request: OutgoingRequest
    /// Of the source's body, exactly: one that is shorter or longer is not delivered.
    public let length: Int64
    /// Whether it may be sent once more, when the store closed a connection that had been kept open.
    public let replay: Replay
    /// Checksums under way that the bytes go through.
    public let checksums: [Checksum]
    /// Asked once all bytes are there and before the last of them (at most 16 KiB) are sent on; false: the store is left
    /// with an incomplete request and commits nothing.
    public let agrees: (@Sendable ([Checksum]) -> Bool)?
    public let limit: Int
    public let next: @Sendable (StoreReply, [Checksum]) -> TransferStep
}

/// Why a step came to no answer.
public struct TransferFailure: Sendable {
    public let error: S3Error
    /// When: clean-up is signed for this time.
    public let now: Instant

    public init(_ error: S3Error, now: Instant) {
        self.error = error
        self.now = now
    }
}
