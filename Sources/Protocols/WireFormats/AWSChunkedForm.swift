/// The forms of an aws-chunked body, by what `x-amz-content-sha256` says of it (S3 API reference, "Signature
/// calculations for the Authorization header: transferring payload in multiple chunks").
public enum AWSChunkedForm: String, CaseIterable, Hashable, Sendable {
    /// Each chunk carries a signature.
    case signed = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    /// Each chunk carries a signature, and so does the trailer.
    case signedWithTrailer = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
    /// Chunks without signatures; a trailer with a checksum.
    case unsignedWithTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"

    public init?(sentinel: some Collection<UInt8>) {
        guard let form = Self.allCases.first(where: { sentinel.elementsEqual($0.rawValue.utf8) }) else { return nil }
        self = form
    }

    public var isSigned: Bool {
        switch self {
        case .signed, .signedWithTrailer: true
        case .unsignedWithTrailer: false
        }
    }

    public var hasTrailer: Bool {
        switch self {
        case .signed: false
        case .signedWithTrailer, .unsignedWithTrailer: true
        }
    }
}
