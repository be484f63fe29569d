import Identity
import Pipeline
import S3API
import Valet
import WireFormats

/// What somebody asks a slot for, within what the configuration allows.
struct SlotRequest: Sendable {
    enum Mode: String, CaseIterable {
        case put, post, multipart, auto
    }

    let bucket: BucketName
    let key: ObjectKey
    let contentType: String
    let size: Int64
    let sha256: [UInt8]?
    let metadata: [String: String]
    let mode: UploadSlot.Mode
    let mayOverwrite: Bool
    let lifetime: Duration

    /// Larger objects come in parts where nobody says how.
    private static let largestAutomaticPut: Int64 = 64 << 20
    /// S3's own (User Guide, "Amazon S3 multipart upload limits").
    private static let largestPut: Int64 = 5 << 30

    static let shape = JSONShape.object([
        JSONMember("bucket", .bucket),
        JSONMember("key", .key, .optional),
        JSONMember(
            "key_template",
            .text(1...2048),
            .optional,
            "Instead of `key`: with claims of the caller's token, as in `{sub}/{upload.id}.jpg`."
        ),
        JSONMember("content_type", .text(3...255)),
        JSONMember("size", .integer(0...(50 << 40)), .required, "Of the object, in bytes: no other is accepted."),
        JSONMember(
            "checksum_sha256",
            .text(44...64),
            .optional,
            "Of the object: 64 hexadecimal digits, or base64. Not for uploads in parts."
        ),
        JSONMember("ttl", .duration, .optional, "How long it may be used."),
        JSONMember("mode", .text(oneOf: Mode.allCases.map(\.rawValue)), .optional),
        JSONMember("overwrite", .boolean, .optional, "Whether it may take the place of an object."),
        JSONMember("metadata", .map(of: .text(0...1024), limit: 32), .optional),
    ])

    /// - Parameter id: of the slot that is to be.
    init(_ body: JSONObject, by caller: Rights, id: String) throws(APIFailure) {
        let snapshot = caller.snapshot
        guard let bucket = body.text("bucket").flatMap({ BucketName(validating: $0) }) else {
            throw APIFailure(S3Error(.invalidBucketName))
        }
        let rules = snapshot.uploads
        self.bucket = bucket
        let text = try SlotKey(body).text(id: id, claims: caller.claimsOfToken)
        do {
            key = try ObjectKey(validating: text, rules: snapshot.server.keyRules)
        } catch {
            throw APIFailure(error)
        }
        contentType = try Self.contentType(body, rules)
        size = body.integer("size") ?? 0
        guard size <= min(rules.largestSize, snapshot.server.maxObjectSize) else {
            throw APIFailure(S3Error(.entityTooLarge, "'size' is more than this gateway lets anybody upload."))
        }
        sha256 = try Self.checksum(body)
        metadata = try Self.metadata(body)
        mayOverwrite = body.boolean("overwrite") ?? false
        lifetime = body.duration("ttl") ?? rules.usualLifetime
        mode = try Self.mode(body, size: size, hasChecksum: sha256 != nil)
    }

    /// When what is asked for ends, and why before its time.
    func end(
        under rules: UploadRules,
        within limits: [(cap: SignedURL.Cap, until: Instant)],
        from now: Instant
    ) -> (end: Instant, cap: SignedURL.Cap?) {
        let start = Instant(secondsSince1970: now.secondsSince1970)
        var end = start + min(lifetime, rules.longestLifetime)
        var cap: SignedURL.Cap? = lifetime > rules.longestLifetime ? .maximum : nil
        for limit in limits where limit.until < end { (end, cap) = (limit.until, limit.cap) }
        return (end, cap)
    }

    private static func contentType(_ body: JSONObject, _ rules: UploadRules) throws(APIFailure) -> String {
        let text = body.text("content_type") ?? ""
        let type: MediaType
        do {
            type = try MediaType(text)
        } catch {
            throw APIFailure(.invalidArgument, "'content_type' \(error).")
        }
        guard rules.accepts(type) else {
            throw APIFailure(.invalidArgument, "'content_type' is none that may be uploaded here.")
        }
        return text
    }

    private static func checksum(_ body: JSONObject) throws(APIFailure) -> [UInt8]? {
        guard let text = body.text("checksum_sha256") else { return nil }
        let digest = text.utf8.count == 64 ? Hex.decode(Array(text.utf8)) : Base64.decode(Array(text.utf8))
        guard let digest, digest.count == 32 else {
            throw APIFailure(.invalidArgument, "'checksum_sha256' must be a SHA-256: 64 hexadecimal digits or base64.")
        }
        return digest
    }

    private static func metadata(_ body: JSONObject) throws(APIFailure) -> [String: String] {
        var metadata: [String: String] = [:]
        var bytes = 0
        for (name, value) in body.entries("metadata") ?? [] {
            let isName =
                (1...128).contains(name.utf8.count)
                && name.utf8.allSatisfy { (byte: UInt8) in
                    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == 0x2d || byte == 0x5f
                }
            let isValue =
                value.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7f } && value.first != " " && value.last != " "
            guard isName, isValue, metadata.updateValue(value, forKey: name.lowercased()) == nil else {
                throw APIFailure(
                    .invalidArgument,
                    "'metadata' takes names of letters, digits, - and _, each once, and values of printable ASCII."
                )
            }
            bytes += name.utf8.count + value.utf8.count
        }
        guard bytes <= 2048 else { throw APIFailure(S3Error(.metadataTooLarge)) }
        return metadata
    }

    private static func mode(
        _ body: JSONObject,
        size: Int64,
        hasChecksum: Bool
    ) throws(APIFailure) -> UploadSlot.Mode {
        let asked = body.text("mode").flatMap(Mode.init(rawValue:)) ?? .auto
        switch asked {
        case .multipart:
            guard !hasChecksum else {
                throw APIFailure(.invalidArgument, "No store checks a SHA-256 of an object that comes in parts.")
            }
            return .multipart
        case .auto:
            if hasChecksum, size <= largestPut { return .put }
            return size <= largestAutomaticPut ? .put : try mode(size: size, hasChecksum, .multipart)
        case .put: return try mode(size: size, hasChecksum, .put)
        case .post: return try mode(size: size, hasChecksum, .post)
        }
    }

    private static func mode(
        size: Int64,
        _ hasChecksum: Bool,
        _ mode: UploadSlot.Mode
    ) throws(APIFailure) -> UploadSlot.Mode {
        if mode == .multipart, hasChecksum {
            throw APIFailure(.invalidArgument, "No store checks a SHA-256 of an object that comes in parts.")
        }
        guard mode == .multipart || size <= largestPut else {
            throw APIFailure(S3Error(.entityTooLarge, "More than 5 GiB come in parts only: mode \"multipart\"."))
        }
        return mode
    }
}
