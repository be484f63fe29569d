import Crypto
import NIOCore
import S3API
import Signatures
import WireFormats

/// Takes an object out of an aws-chunked body and holds each chunk, and the trailer, against its signature.
struct AWSChunkedBody: Sendable {
    private var decoder: AWSChunkedDecoder
    /// Nil where the form is unsigned.
    private var signatures: ChunkSignatures?
    private var hash = SHA256()
    private var signature: [UInt8] = []
    /// The checksum that the trailer told.
    private(set) var digest: [UInt8]?

    /// - Parameter signatures: what the chunks must carry; nil where the form is unsigned.
    init(_ decoder: AWSChunkedDecoder, signatures: ChunkSignatures?) {
        self.decoder = decoder
        self.signatures = signatures
    }

    /// The next bytes of the object; nil: all of the buffer is read.
    ///
    /// - Throws: `IncompleteBody`, `SignatureDoesNotMatch`, `MalformedTrailerError`.
    mutating func next(_ buffer: inout ByteBuffer) throws(S3Error) -> ByteBuffer? {
        while true {
            switch decoder.next(&buffer) {
            case .needMore, .end:
                return nil
            case .chunkBegan(_, let signature):
                self.signature = signature ?? []
            case .bytes(let bytes):
                if signatures != nil { bytes.withUnsafeReadableBytes { hash.update(bufferPointer: $0) } }
                return bytes
            case .chunkEnded:
                guard signatures != nil else { continue }
                do {
                    try signatures?.verifyChunk(sha256: hash.finalize(), signature: signature)
                } catch {
                    throw S3Error(.signatureDoesNotMatch, error.publicMessage)
                }
                hash = SHA256()
            case .trailer(let trailer):
                digest = trailer.digest
                guard signatures != nil else { continue }
                do {
                    try signatures?.verifyTrailer(trailer.signedText, signature: trailer.signature ?? [])
                } catch {
                    throw S3Error(.signatureDoesNotMatch, error.publicMessage)
                }
            case .refused(let error):
                throw error
            }
        }
    }

    /// The client's last byte has come.
    /// - Throws: `IncompleteBody` where the body does not end there.
    mutating func finish() throws(S3Error) {
        if let error = decoder.closed() { throw error }
    }
}
