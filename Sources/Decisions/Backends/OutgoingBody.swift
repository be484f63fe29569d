public import S3API
public import Signatures
public import WireFormats

/// The body that a request takes along.
public enum OutgoingBody: Sendable {
    case none
    /// The client's, so many bytes long; `hash` is what the client signed, `unsigned` where it signed none.
    case stream(length: Int64, hash: PayloadHash)
    /// The client's, with its checksum behind it.
    case trailing(AWSChunkedEncoder, length: Int64, ChecksumAlgorithm)
    /// The client's, with a checksum behind it that was verified here; the store computes its own by that algorithm.
    case computed(length: Int64, ChecksumAlgorithm)
    /// The client's, known to have this checksum, of which no field of the client's tells.
    case checked(length: Int, ChecksumAlgorithm, digest: [UInt8])
    /// The client's document, unchanged.
    case document([UInt8])
    /// A document written here instead of the client's: checks that the client sent of its own do not go with it.
    case rewritten([UInt8])
    /// What a DeleteObjects may delete, under the client's keys.
    case deletion([DeleteRequest.Entry])
}
