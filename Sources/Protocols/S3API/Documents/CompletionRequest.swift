import WireFormats

/// The document of CompleteMultipartUpload: the parts that make the object, in order
/// (S3 API reference, CompleteMultipartUpload).
public struct CompletionRequest: Sendable {
    public struct Part: Hashable, Sendable {
        /// 1...10,000.
        public let number: Int
        /// As sent: usually in quotation marks.
        public let etag: String
        /// Checksum elements by name (`ChecksumCRC32` ...), in base64.
        public let checksums: [String: String]

        public init(number: Int, etag: String, checksums: [String: String] = [:]) {
            self.number = number
            self.etag = etag
            self.checksums = checksums
        }
    }

    public let parts: [Part]

    /// - Throws: `MalformedXML` for what is no such document or holds no part, `InvalidPartOrder` where numbers don't
    ///   ascend, `InvalidArgument` for a number out of range.
    public init(parsing bytes: [UInt8]) throws(S3Error) {
        try self.init(readRequestDocument(bytes, root: "CompleteMultipartUpload"))
    }

    init(_ root: XMLNode) throws(S3Error) {
        var parts: [Part] = []
        for node in root.children {
            guard node.name == "Part", parts.count < 10_000,
                let number = decimal(try Self.only("PartNumber", of: node).utf8)
            else { throw S3Error(.malformedXML) }
            let etag = try Self.only("ETag", of: node)
            guard (1...10_000).contains(number) else {
                throw S3Error(.invalidArgument, "Part number must be an integer between 1 and 10000, inclusive")
            }
            guard number > parts.last?.number ?? 0 else { throw S3Error(.invalidPartOrder) }
            var checksums: [String: String] = [:]
            for child in node.children where child.name.hasPrefix("Checksum") {
                checksums[child.name] = child.text.trimmingXMLSpace
            }
            parts.append(Part(number: number, etag: etag, checksums: checksums))
        }
        guard !parts.isEmpty else { throw S3Error(.malformedXML) }
        self.parts = parts
    }

    /// Of two, one reader would take the first and another the last.
    private static func only(_ name: String, of part: XMLNode) throws(S3Error) -> String {
        guard part.children(named: name).count == 1, let text = part.value(name) else { throw S3Error(.malformedXML) }
        return text
    }

    /// The document as it is, but for the parts' checksums, for stores that don't know of them.
    public static func withoutChecksums(_ bytes: [UInt8]) throws(S3Error) -> [UInt8] {
        let root = try readRequestDocument(bytes, root: "CompleteMultipartUpload")
        return root.mapChildren { part in
            part.mapChildren { $0.name.hasPrefix("Checksum") ? nil : $0 }
        }.document()
    }
}
