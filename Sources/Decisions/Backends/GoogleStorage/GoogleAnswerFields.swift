import HTTP1
import S3API
import WireFormats

/// Which fields of Google's answers reach the client, and under which names.
enum GoogleAnswerFields {
    /// - Parameter tellsChecksum: whether the client is told the CRC32C of what it reads or wrote.
    static func passed(_ fields: FieldBlock, tellsChecksum: Bool) -> FieldBlock {
        var passed = FieldBlock(reservingBytes: fields.bytes.count, fields: fields.entries.count)
        for entry in fields.entries {
            if fields.hasPrefix(entry, "x-goog-meta-") {
                let name = fields.name(entry).dropFirst("x-goog-".utf8.count)
                passed.append("x-amz-".utf8 + name.map { lowered($0) }, fields.value(entry))
            } else if fields.isNamed(entry, "x-goog-storage-class") {
                // S3 leaves the usual one unsaid.
                guard !fields.value(entry).elementsEqual("STANDARD".utf8) else { continue }
                passed.append("x-amz-storage-class", fields.value(entry))
            } else if carried.contains(where: { fields.isNamed(entry, $0) }) {
                passed.append(entry, of: fields, lowercasing: .name)
            }
        }
        if tellsChecksum, let crc32c = hash("crc32c", in: fields) {
            passed.append("x-amz-checksum-crc32c", crc32c)
            passed.append("x-amz-checksum-type", "FULL_OBJECT")
        }
        return passed
    }

    private static let carried: [StaticString] = [
        "etag", "last-modified", "content-type", "content-encoding", "content-language", "content-disposition",
        "cache-control", "content-range", "accept-ranges",
    ]

    /// What an error answer keeps: what tells the client how to ask again.
    static func passedWithError(_ fields: FieldBlock) -> FieldBlock {
        var passed = FieldBlock(reservingBytes: 128, fields: 3)
        for entry in fields.entries where errorFields.contains(where: { fields.isNamed(entry, $0) }) {
            passed.append(entry, of: fields, lowercasing: .name)
        }
        return passed
    }

    private static let errorFields: [StaticString] = ["content-range", "etag", "last-modified"]

    /// A digest of the object as it is kept: `x-goog-hash: crc32c=...,md5=...`, in one field or several.
    static func hash(_ name: String, in fields: FieldBlock) -> String? {
        for entry in fields.entries where fields.isNamed(entry, "x-goog-hash") {
            for item in fields.value(entry).split(separator: UInt8(ascii: ",")) {
                let item = item.drop { $0 == 0x20 || $0 == 0x09 }
                guard item.starts(with: (name + "=").utf8) else { continue }
                let value = item.dropFirst(name.utf8.count + 1)
                return String(decoding: value, as: UTF8.self)
            }
        }
        return nil
    }

    /// Whether what is sent is not what is kept: unpacked or packed on the way, so that ranges, length and digests are
    /// another's (Cloud Storage documentation, "Transcoding of gzip-compressed files").
    static func isTranscoded(_ head: ResponseHead) -> Bool {
        if let kept = head.fields.first("x-goog-stored-content-encoding") {
            let sent = head.fields.first("content-encoding") ?? Array("identity".utf8)[...]
            guard kept.elementsEqual(sent, by: { lowered($0) == lowered($1) }) else { return true }
        }
        guard head.status == 200, let kept = head.fields.first("x-goog-stored-content-length"),
            let sent = head.fields.first("content-length")
        else { return false }
        return kept != sent
    }
}
