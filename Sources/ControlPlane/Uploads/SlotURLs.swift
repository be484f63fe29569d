import HTTP1
import Pipeline
import S3API
import Valet
import WireFormats

extension UploadSlot {
    /// What the object has besides its bytes: its type, the user's metadata.
    var objectFields: FieldBlock {
        var fields = FieldBlock()
        fields.append("content-type", contentType)
        for (name, value) in metadata.sorted(by: { $0.key < $1.key }) {
            fields.append("x-amz-meta-\(name)".utf8, value.utf8)
        }
        return fields
    }

    /// The condition that the client's own request makes the object under, and on which a policy may rest; empty where
    /// Gatehouse brings the bytes to their key, from quarantine or out of parts.
    var condition: FieldBlock { Self.condition(of: mode, isDirect: landing == .direct) }

    static func condition(of mode: Mode, isDirect: Bool) -> FieldBlock {
        var condition = FieldBlock()
        if mode == .put, isDirect { condition.append("if-none-match", "*") }
        return condition
    }

    /// What is left of its time, counted from the whole second that a signature made now has.
    func remaining(at now: Instant) -> Duration {
        expiresAt.duration(since: Instant(secondsSince1970: now.secondsSince1970))
    }

    /// The PUT of the whole object: everything that was promised is part of its signature, so that nothing else can be put.
    func wish(for lifetime: Duration) -> URLWish {
        var fields = objectFields
        fields.append("content-length", String(size))
        for entry in condition.entries { fields.append(entry, of: condition, lowercasing: .nothing) }
        if let sha256 { fields.append("x-amz-checksum-sha256", Base64.encode(sha256)) }
        var wish = URLWish(
            .put,
            ActionSet(.putObject),
            bucket: bucket,
            key: key,
            fields: fields,
            lifetime: lifetime
        )
        wish.place = landing == .direct ? nil : landingKey
        return wish
    }

    /// The PUT of one part; nil for a number that it has no part of.
    func wish(forPart number: Int, of upload: Multipart, for lifetime: Duration) -> URLWish? {
        let (before, overflows) = Int64(number - 1).multipliedReportingOverflow(by: upload.partSize)
        guard number >= 1, !overflows, before < size || number == 1 else { return nil }
        var query = Query()
        query.append("partNumber".utf8, String(number).utf8)
        query.append("uploadId".utf8, upload.uploadID.utf8)
        var fields = FieldBlock()
        fields.append("content-length", String(min(upload.partSize, size - before)))
        return URLWish(
            .put,
            ActionSet(.putObject),
            bucket: bucket,
            key: key,
            query: query,
            fields: fields,
            lifetime: lifetime
        )
    }

    /// Of every part but the last, in bytes: as few parts as sensible, never more than stores take.
    static func partSize(of size: Int64) -> Int64 {
        let mebibyte: Int64 = 1 << 20
        let least = (size + 9_999) / 10_000
        return max(16 * mebibyte, (least + mebibyte - 1) / mebibyte * mebibyte)
    }
}
