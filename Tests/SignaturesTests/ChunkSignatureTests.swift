import Crypto
import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct ChunkSignatureTests {
    @Test func theVectorsAreThere() {
        #expect(ChunkVector.all.map(\.chunks.count) == [3, 3])
        #expect(ChunkVector.all.map { $0.trailer == nil } == [true, false])
    }

    @Test(arguments: ChunkVector.all)
    func everyStageIsAsAWSHasIt(_ vector: ChunkVector) throws {
        var chain = try vector.chain()
        for chunk in vector.chunks {
            #expect(text(chain.stringToSign(chunk: chunk.sha256)) == chunk.stringToSign)
            try chain.verifyChunk(sha256: chunk.sha256, signature: chunk.signatureBytes)
        }
        guard let trailer = vector.trailer else { return }
        #expect(text(chain.stringToSign(trailer: Array(trailer.text.utf8))) == trailer.stringToSign)
        try chain.verifyTrailer(Array(trailer.text.utf8), signature: trailer.signatureBytes)
    }

    @Test(arguments: ChunkVector.all)
    func aChunkWithOtherBytesIsRefused(_ vector: ChunkVector) throws {
        var chain = try vector.chain()
        for chunk in vector.chunks {
            let other = SHA256.hash(data: [UInt8](repeating: UInt8(ascii: "b"), count: chunk.size + 1))
            #expect(throws: SignatureRefusal.signatureMismatch) {
                try chain.verifyChunk(sha256: other, signature: chunk.signatureBytes)
            }
            try chain.verifyChunk(sha256: chunk.sha256, signature: chunk.signatureBytes)
        }
    }

    @Test(arguments: ChunkVector.all)
    func chunksInAnotherOrderAreRefused(_ vector: ChunkVector) throws {
        for chunk in vector.chunks.dropFirst() {
            var chain = try vector.chain()
            #expect(throws: SignatureRefusal.signatureMismatch) {
                try chain.verifyChunk(sha256: chunk.sha256, signature: chunk.signatureBytes)
            }
        }
    }

    @Test(arguments: ChunkVector.all)
    func aSignatureThatIsOffByABitOrCutShortIsRefused(_ vector: ChunkVector) throws {
        let chunk = try #require(vector.chunks.first)
        var chain = try vector.chain()
        for index in 0..<32 {
            var signature = chunk.signatureBytes
            signature[index] ^= 1 << UInt8(index % 8)
            #expect(throws: SignatureRefusal.signatureMismatch) {
                try chain.verifyChunk(sha256: chunk.sha256, signature: signature)
            }
        }
        for count in 0..<32 {
            #expect(throws: SignatureRefusal.signatureMismatch) {
                try chain.verifyChunk(sha256: chunk.sha256, signature: chunk.signatureBytes.prefix(count))
            }
        }
    }

    @Test func aTrailerOfOtherTextOrBeforeTheLastChunkIsRefused() throws {
        let vector = try #require(ChunkVector.all.last)
        let trailer = try #require(vector.trailer)
        var chain = try vector.chain()
        for chunk in vector.chunks {
            #expect(throws: SignatureRefusal.signatureMismatch) {
                try chain.verifyTrailer(Array(trailer.text.utf8), signature: trailer.signatureBytes)
            }
            try chain.verifyChunk(sha256: chunk.sha256, signature: chunk.signatureBytes)
        }
        for text in [
            "", "x-amz-checksum-crc32c:sOO8/g==\n", "x-amz-checksum-crc32c:sOO8/Q==", "x-amz-checksum-crc32:sOO8/Q==\n",
        ] {
            #expect(throws: SignatureRefusal.signatureMismatch) {
                try chain.verifyTrailer(Array(text.utf8), signature: trailer.signatureBytes)
            }
        }
    }

    @Test func chunksOfAPresignedRequestGoOnFromItsSignature() throws {
        let verified = try Sample.presigned(.put, payload: .chunked(.signed)).verify()
        #expect(verified.chunkSignatures != nil)
        #expect(try Sample.presigned(.put).verify().chunkSignatures == nil)
    }
}

/// The chunks of an upload whose head is the vector of the same name in `aws.json`.
struct ChunkVector: Decodable, Sendable, CustomTestStringConvertible {
    struct Chunk: Decodable, Sendable {
        /// So many times `a`.
        let size: Int
        let stringToSign: String
        let signature: String

        var sha256: SHA256Digest { SHA256.hash(data: [UInt8](repeating: UInt8(ascii: "a"), count: size)) }
        var signatureBytes: [UInt8] { Hex.decode(signature.utf8) ?? [] }
    }

    struct Trailer: Decodable, Sendable {
        let text: String
        let stringToSign: String
        let signature: String

        var signatureBytes: [UInt8] { Hex.decode(signature.utf8) ?? [] }
    }

    let name: String
    let chunks: [Chunk]
    let trailer: Trailer?

    var testDescription: String { name }

    private struct File: Decodable { let cases: [ChunkVector] }

    static let all: [ChunkVector] = {
        do { return try JSONDecoder().decode(File.self, from: vectorFile("chunks")).cases } catch {
            Issue.record("chunks.json: \(error)")
            return []
        }
    }()

    func chain() throws -> ChunkSignatures {
        let seed = try #require(Vector.aws.first { $0.name == name })
        return try #require(try seed.verify().chunkSignatures)
    }
}
