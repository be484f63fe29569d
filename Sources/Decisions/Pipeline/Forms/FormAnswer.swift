import Backends
import HTTP1
import S3API
import WireFormats

/// What a form's sender gets once its file is stored: what the form asks for (S3 API reference, "POST Object",
/// `success_action_status` and `success_action_redirect`).
struct FormAnswer: AnswerView {
    private enum Success: Sendable {
        /// 200, 201 or 204.
        case status(Int)
        /// Where the browser goes: an http or https URL.
        case redirect([UInt8])
    }

    private let success: Success
    private let bucket: BucketName
    private let key: ObjectKey
    private let location: [UInt8]

    /// - Throws: `InvalidArgument` for a redirect that leads to no web page.
    init(_ fields: FormFields, _ bucket: BucketName, _ key: ObjectKey, _ view: ClientView) throws(S3Error) {
        self.bucket = bucket
        self.key = key
        var location = Array("\(view.publicURL)/\(bucket)/".utf8)
        PercentEncoding.append(key.bytes, to: &location, keepSlash: .keep)
        self.location = location
        if let url = fields["success_action_redirect"] ?? fields["redirect"], !url.isEmpty {
            guard Self.isWebPage(url) else {
                throw S3Error(.invalidArgument, "success_action_redirect must be an http or https URL.")
            }
            success = .redirect(url)
        } else {
            // As S3 does: any other status is as good as none.
            let status = fields["success_action_status"].flatMap { decimal($0) } ?? 204
            success = .status(status == 200 || status == 201 ? status : 204)
        }
    }

    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer {
        guard (200...299).contains(status) else { return .stream(status: status, fields: fields) }
        return .reply(reply(fields))
    }

    /// - Parameter stored: the fields of the store's answer.
    private func reply(_ stored: FieldBlock) -> Reply {
        var fields = FieldBlock(reservingBytes: 512, fields: 8)
        for entry in stored.entries where stored.isNamed(entry, "etag") || stored.hasPrefix(entry, "x-amz-") {
            fields.append(entry, of: stored, lowercasing: .name)
        }
        let etag = Array(stored.first("etag") ?? [])
        switch success {
        case .redirect(let url):
            fields.append("location", page(url, etag))
            return Reply(status: 303, fields: fields)
        case .status(201):
            fields.append("location", location)
            fields.append("content-type", "application/xml")
            var writer = XMLWriter()
            writer.open("PostResponse")
            writer.element("Location", location)
            writer.element("Bucket", bucket.string)
            writer.element("Key", key.bytes)
            writer.element("ETag", etag)
            writer.close("PostResponse")
            return Reply(status: 201, fields: fields, body: writer.bytes)
        case .status(let status):
            fields.append("location", location)
            return Reply(status: status, fields: fields)
        }
    }

    /// The URL with what was stored in its query.
    private func page(_ url: [UInt8], _ etag: [UInt8]) -> [UInt8] {
        let fragment = url.firstIndex(of: UInt8(ascii: "#")) ?? url.endIndex
        var page = Array(url[..<fragment])
        page.append(page.contains(UInt8(ascii: "?")) ? UInt8(ascii: "&") : UInt8(ascii: "?"))
        for (index, item) in [("bucket", Array(bucket.string.utf8)), ("key", key.bytes), ("etag", etag)].enumerated() {
            if index > 0 { page.append(UInt8(ascii: "&")) }
            page += Array(item.0.utf8) + [UInt8(ascii: "=")]
            PercentEncoding.append(item.1, to: &page, keepSlash: .encode)
        }
        return page + url[fragment...]
    }

    /// Visible ASCII that begins like a web address: nothing else may stand in `Location`, `javascript:` least of all.
    private static func isWebPage(_ url: [UInt8]) -> Bool {
        guard url.count <= 2048, url.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return false }
        let start = url.prefix(8).map { lowered($0) }
        return start.starts(with: "https://".utf8) && url.count > 8
            || start.starts(with: "http://".utf8) && url.count > 7
    }
}
