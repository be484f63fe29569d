public import WireFormats

/// What a signature says about the body: the value of `x-amz-content-sha256`.
public enum PayloadHash: Hashable, Sendable {
    /// `UNSIGNED-PAYLOAD`: the body is not covered.
    case unsigned
    /// The body's SHA-256, 32 bytes.
    case sha256([UInt8])
    /// A `STREAMING-…` sentinel: the body is aws-chunked and carries its own proofs.
    case chunked(AWSChunkedForm)

    /// Of no body at all.
    public static let empty = PayloadHash.sha256(emptySHA256)

    /// nil for anything but the three forms; a digest is 64 hexadecimal digits.
    public init?(_ text: some Collection<UInt8>) {
        if text.count == 64, let digest = Hex.decode(text) {
            self = .sha256(digest)
        } else if text.spell("UNSIGNED-PAYLOAD") {
            self = .unsigned
        } else if let form = AWSChunkedForm(sentinel: text) {
            self = .chunked(form)
        } else {
            return nil
        }
    }

    /// As it stands in the header and in the canonical request.
    public func append(to bytes: inout [UInt8]) {
        switch self {
        case .unsigned: bytes.append(contentsOf: "UNSIGNED-PAYLOAD".utf8)
        case .sha256(let digest): digest.withUnsafeBytes { Hex.append($0, to: &bytes) }
        case .chunked(let form): bytes.append(contentsOf: form.rawValue.utf8)
        }
    }

    /// Why a text that is none of the forms is refused: chunks signed by Signature Version 4A are a form that S3 has and
    /// Gatehouse has not.
    public static func refusal(of text: some Collection<UInt8>) -> SignatureRefusal {
        text.starts(with: "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD".utf8)
            ? .payloadFormNotSupported : .malformedContentSHA256
    }

    private static let emptySHA256: [UInt8] = [
        0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
        0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
    ]
}
