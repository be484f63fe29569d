import WireFormats

/// What follows the last chunk of an aws-chunked body.
public struct AWSChunkedTrailer: Hashable, Sendable {
    /// Of the announced checksum, of its algorithm's length; nil where none was announced.
    public let digest: [UInt8]?
    /// What the signature covers: `name:value\n`, or nothing.
    public let signedText: [UInt8]
    /// 32 bytes; there where the form is signed.
    public let signature: [UInt8]?
}

/// Reads a trailer line by line: the announced checksum, once, then in signed forms its signature, then an empty line.
///
/// `name:value\n\r\n` is read like `name:value\r\n`: minio-go sends it, because the line feed is part of what is signed.
struct TrailerReader: Sendable {
    private let announced: ChecksumAlgorithm?
    private let isSigned: Bool
    /// Bytes so far.
    private(set) var consumed = 0
    private var digest: [UInt8]?
    private var signedText: [UInt8] = []
    private var signature: [UInt8]?

    init(announced: ChecksumAlgorithm?, isSigned: Bool) {
        self.announced = announced
        self.isSigned = isSigned
    }

    /// Takes the next line without its CRLF. The whole, when it was the last one.
    /// - Throws: `MalformedTrailerError`.
    mutating func take(_ line: ArraySlice<UInt8>) throws(S3Error) -> AWSChunkedTrailer? {
        consumed += line.count + 2
        guard !line.isEmpty else { return try finish() }
        guard signature == nil else { throw S3Error(.malformedTrailer, "Something follows the trailer's signature.") }
        let line = line.last == UInt8(ascii: "\n") ? line.dropLast() : line
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw S3Error(.malformedTrailer) }
        let name = line[..<colon]
        let value = Self.trimmed(line[(colon + 1)...])
        if isSigned, Self.isSignature(name) {
            guard let bytes = Hex.decodeSignature(value) else {
                throw S3Error(.malformedTrailer, "The trailer's signature is not 64 hexadecimal digits.")
            }
            signature = bytes
        } else {
            try takeChecksum(name, value)
        }
        return nil
    }

    private mutating func takeChecksum(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) throws(S3Error) {
        guard let announced, ChecksumAlgorithm(header: name) == announced else {
            throw S3Error(.malformedTrailer, "A trailer was sent that x-amz-trailer does not announce.")
        }
        guard digest == nil else { throw S3Error(.malformedTrailer, "The trailer \(announced.header) was sent twice.") }
        guard let bytes = Base64.decode(value), bytes.count == announced.digestLength else {
            throw S3Error(.malformedTrailer, "Value for \(announced.header) trailing header is invalid.")
        }
        digest = bytes
        announced.header.withUTF8Buffer { signedText.append(contentsOf: $0) }
        signedText.append(UInt8(ascii: ":"))
        signedText.append(contentsOf: value)
        signedText.append(UInt8(ascii: "\n"))
    }

    private func finish() throws(S3Error) -> AWSChunkedTrailer {
        if let announced, digest == nil {
            throw S3Error(.malformedTrailer, "The announced trailer \(announced.header) was not sent.")
        }
        guard !isSigned || signature != nil else {
            throw S3Error(.malformedTrailer, "The trailer is not signed as x-amz-content-sha256 says.")
        }
        return AWSChunkedTrailer(digest: digest, signedText: signedText, signature: signature)
    }

    private static func isSignature(_ name: ArraySlice<UInt8>) -> Bool {
        let expected: StaticString = "x-amz-trailer-signature"
        return expected.withUTF8Buffer { expected in
            name.count == expected.count
                && name.elementsEqual(expected) { ($0 &- UInt8(ascii: "A") < 26 ? $0 | 0x20 : $0) == $1 }
        }
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        var value = value.drop(while: isBlank)
        while let last = value.last, isBlank(last) { value = value.dropLast() }
        return value
    }
}
