import Backends
import HTTP1
import Pipeline
import S3API
import Valet
import WireFormats

/// A slot as its issuer sees it.
struct SlotView {
    let slot: UploadSlot
    /// What ends it before the time that was asked for.
    var cap: SignedURL.Cap?

    /// How the bytes are to be sent; nil where nothing more can be.
    enum Way {
        case url(SignedURL)
        case form(SignedForm)
        case parts

        /// When it ends; nil where that is asked part by part.
        var expiresAt: Instant? {
            switch self {
            case .url(let url): url.expiresAt
            case .form(let form): form.expiresAt
            case .parts: nil
            }
        }

        /// What ends it before the slot.
        var cap: SignedURL.Cap? {
            switch self {
            case .url(let url): url.cappedBy
            case .form(let form): form.cappedBy
            case .parts: nil
            }
        }
    }

    static let shape = JSONShape.object([
        JSONMember("id", .text(32...32)),
        JSONMember("state", .text(oneOf: UploadSlot.State.allCases.map(\.rawValue))),
        JSONMember("bucket", .bucket),
        JSONMember("key", .key),
        JSONMember("mode", .text(oneOf: UploadSlot.Mode.allCases.map(\.rawValue))),
        JSONMember("issued_at", .instant),
        JSONMember("expires_at", .instant),
        JSONMember("capped_by", .text(oneOf: SignedURL.Cap.allCases.map(\.rawValue)), .optional),
        JSONMember("once", .boolean, .required, "Whether the slot can't be used again to replace what it put."),
        JSONMember(
            "upload",
            .object([
                JSONMember("method", .text(oneOf: ["PUT", "POST"])),
                JSONMember("url", .text(1...16_384)),
                JSONMember("headers", .map(of: .text(0...4096), limit: 64), .optional, "Of a PUT: all of them."),
                JSONMember("fields", .map(of: .text(0...16_384), limit: 64), .optional, "Of a form, before its file."),
                JSONMember("expires_at", .instant, .required, "When the URL or the form ends."),
                JSONMember("capped_by", .text(oneOf: SignedURL.Cap.allCases.map(\.rawValue)), .optional),
            ]),
            .optional
        ),
        JSONMember(
            "parts",
            .object([
                JSONMember("size", .integer(1...(50 << 40)), .required, "Of every part but the last, in bytes."),
                JSONMember("count", .integer(1...10_000)),
                JSONMember("urls_url", .text(1...4096), .required, "Where the parts' URLs are: add ?numbers=1-10."),
            ]),
            .optional
        ),
        JSONMember("etag", .text(0...1024), .optional),
        JSONMember("size", .integer(0...(50 << 40))),
        JSONMember("content_type", .text(0...4096)),
        JSONMember("version_id", .text(1...1024), .optional),
        JSONMember("finished_at", .instant, .optional),
        JSONMember("cause", .text(oneOf: UploadSlot.Cause.allCases.map(\.rawValue)), .optional),
    ])

    /// - Parameter server: under which address clients know us.
    func json(_ way: Way? = nil, at server: String = "") -> StrictJSON {
        let found = slot.state == .completed ? slot.result : nil
        return .object(of: [
            ("id", .string(slot.id)),
            ("state", .string(slot.state.rawValue)),
            ("bucket", .string(slot.bucket.string)),
            ("key", .string(slot.key.string)),
            ("mode", .string(slot.mode.rawValue)),
            ("issued_at", .instant(slot.issuedAt)),
            ("expires_at", .instant(slot.expiresAt)),
            ("capped_by", cap.map { .string($0.rawValue) }),
            ("once", .bool(slot.isOnce)),
            ("upload", way.flatMap(Self.upload)),
            ("parts", parts(way, at: server)),
            ("etag", found.map { .string($0.etag) }),
            ("size", .integer(found?.size ?? slot.size)),
            ("content_type", .string(found?.contentType ?? slot.contentType)),
            ("version_id", found?.versionID.map { .string($0) }),
            ("finished_at", slot.finishedAt.map { .instant($0) }),
            ("cause", slot.cause.map { .string($0.rawValue) }),
        ])
    }

    private static func upload(_ way: Way) -> StrictJSON? {
        switch way {
        case .url(let url):
            .object(of: [
                ("method", .string(url.method.name)), ("url", .string(url.url)), ("headers", .headers(url.fields)),
                ("expires_at", .instant(url.expiresAt)), ("capped_by", url.cappedBy.map { .string($0.rawValue) }),
            ])
        case .form(let form):
            .object(of: [
                ("method", .string("POST")), ("url", .string(form.form.url)),
                ("fields", .object(form.form.fields.map { (name: $0.name, value: .string($0.value)) })),
                ("expires_at", .instant(form.expiresAt)), ("capped_by", form.cappedBy.map { .string($0.rawValue) }),
            ])
        case .parts: nil
        }
    }

    private func parts(_ way: Way?, at server: String) -> StrictJSON? {
        guard case .parts = way else { return nil }
        let size = slot.multipart?.partSize ?? UploadSlot.partSize(of: slot.size)
        return .object([
            ("size", .integer(size)), ("count", .integer(max(1, (slot.size + size - 1) / size))),
            ("urls_url", .string("\(server)/-/v1/uploads/\(slot.id)/parts")),
        ])
    }
}
