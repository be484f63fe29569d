import Backends
import HTTP1
import S3API
import WireFormats

/// The source of a copy as its store describes it.
struct CopiedObject: Sendable {
    let fields: FieldBlock
    /// Bytes.
    let length: Int64
    /// As sent, in quotation marks.
    let etag: [UInt8]?
    let versionID: [UInt8]?
    /// How many tags there are; nil where the store does not say.
    let tagCount: Int?
    /// One of the whole content, not of its parts' checksums.
    let checksum: KnownChecksum?

    struct KnownChecksum: Sendable {
        let algorithm: ChecksumAlgorithm
        let digest: [UInt8]
    }

    /// - Parameter told: the same answer in S3's terms.
    ///
    /// Nil where that is none that can be copied from, or the length is not told.
    init?(_ head: ResponseHead, saying told: S3Answer) {
        guard case .stream(_, let fields) = told else { return nil }
        guard let text = head.fields.first("content-length"), (1...18).contains(text.count),
            text.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 })
        else { return nil }
        self.fields = fields
        length = text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
        etag = fields.first("etag").map(Array.init)
        versionID = fields.first("x-amz-version-id").map(Array.init)
        tagCount = fields.first("x-amz-tagging-count").flatMap { decimal($0) }
        checksum = Self.checksum(fields)
    }

    /// A composite checksum says so, or has the number of parts behind it, which no digest decodes with.
    private static func checksum(_ fields: FieldBlock) -> KnownChecksum? {
        if let type = fields.first("x-amz-checksum-type"), !type.elementsEqual("FULL_OBJECT".utf8) { return nil }
        for algorithm in ChecksumAlgorithm.allCases {
            guard let value = fields.first(algorithm.header),
                let digest = Base64.decode(Array(value)), digest.count == algorithm.digestLength
            else { continue }
            return KnownChecksum(algorithm: algorithm, digest: digest)
        }
        return nil
    }
}
