import Admission
package import HTTP1
import Identity
import Journal
import Pipeline
import S3API
package import WireFormats

/// `POST /-/v1/downloads`: URLs that let whoever holds them read one object each.
package struct Downloads: Sendable {
    private static let usualLifetime = Duration.seconds(300)
    private static let largestBatch = 100

    private let log: IssueLog
    /// So many unpredictable bytes.
    private let random: @Sendable (Int) -> [UInt8]

    package init(_ log: IssueLog, random: @escaping @Sendable (Int) -> [UInt8]) {
        self.log = log
        self.random = random
    }

    package var operation: APIOperation {
        APIOperation(
            "createDownload",
            .post,
            "downloads",
            summary: "Signs URLs to read objects.",
            description: """
                One object, or up to \(Self.largestBatch) as `items`; each item is answered at its place, with a URL or with \
                an error of its own. Needs `get_object`. A URL is for one method and one key, and never outlives what it \
                rests on: `expires_at` says when it ends and `capped_by` what ends it before the time that was asked for. \
                `via` says where it shall lead: to the store, to Gatehouse, or to the store where that can be (`auto`). \
                Stores in folders and stores that clients can't reach are always read through Gatehouse; `via` in the \
                answer tells.
                """,
            body: .choice(
                by: "items",
                .object([JSONMember("items", .array(of: Self.wish, count: 1...Self.largestBatch))]),
                else: Self.wish
            ),
            outcomes: [
                APIOutcome(
                    200,
                    "The URL, or one answer for each item.",
                    .choice(
                        by: "items",
                        .object([
                            JSONMember(
                                "items",
                                .array(
                                    of: .choice(by: "error", Self.failure, else: Self.answer),
                                    count: 1...Self.largestBatch
                                )
                            )
                        ]),
                        else: Self.answer
                    )
                )
            ],
            failures: [
                APIFailure.Code(.noSuchBucket), .keyTooLong, .proxyOnly, APIFailure.Code(.expiredToken),
                APIFailure.Code(.backendCredentialUnavailable),
            ]
        ) { request async throws(APIFailure) in
            try await answer(request)
        }
    }

    private static let wish = JSONShape.object([
        JSONMember("bucket", .bucket),
        JSONMember("key", .key),
        JSONMember("ttl", .duration, .optional, "How long it lasts; 5 minutes where nothing is said."),
        JSONMember("method", .text(oneOf: ["GET", "HEAD"]), .optional),
        JSONMember("filename", .text(1...255), .optional, "The name that browsers save it under."),
        JSONMember("content_type", .text(1...255), .optional, "The type it is sent as."),
        JSONMember("via", .text(oneOf: URLWish.Via.allCases.map(\.rawValue)), .optional),
    ])

    private static let answer = JSONShape.object([
        JSONMember("url", .text(1...16_384)),
        JSONMember("method", .text(oneOf: ["GET", "HEAD"])),
        JSONMember("headers", .map(of: .text(0...4096), limit: 16), .required, "What the request has to carry."),
        JSONMember("expires_at", .instant),
        JSONMember("capped_by", .text(oneOf: SignedURL.Cap.allCases.map(\.rawValue)), .optional),
        JSONMember("via", .text(oneOf: ["store", "gatehouse"])),
        JSONMember("id", .text(32...32), .required, "Names it in the audit log."),
    ])

    private static let failure = JSONShape.object([
        JSONMember(
            "error",
            .object([
                JSONMember("code", .text(1...64)), JSONMember("message", .text(0...4096)),
                JSONMember("resource", .text(1...4096)),
            ])
        )
    ])

    private func answer(_ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        guard let items = request.body.objects("items") else {
            let (answer, entry) = sign(request.body, as: await heard(about: [request.body], request), for: request)
            try await log.record([entry].compactMap { $0 }, of: request)
            return APIAnswer(200, try answer.get())
        }
        let caller = await heard(about: items, request)
        var answers: [StrictJSON] = []
        var entries: [IssueLog.Entry] = []
        for item in items {
            let (answer, entry) = sign(item, as: caller, for: request)
            if let entry { entries.append(entry) }
            switch answer {
            case .success(let url): answers.append(url)
            case .failure(let failure): answers.append(Self.error(failure, of: item))
            }
        }
        try await log.record(entries, of: request)
        return APIAnswer(200, .object([("items", .array(answers))]))
    }

    /// The application is asked once for all items.
    private func heard(about items: [JSONObject], _ request: APIRequest) async -> Rights {
        await request.caller.hearing(about: items.compactMap { try? Self.wish($0, for: request) }, at: request.now)
    }

    /// One URL, and what the audit log shall say of it.
    private func sign(
        _ item: JSONObject,
        as caller: Rights,
        for request: APIRequest
    ) -> (answer: Result<StrictJSON, APIFailure>, entry: IssueLog.Entry?) {
        let wish: URLWish
        do throws(S3Error) {
            wish = try Self.wish(item, for: request)
        } catch {
            return (.failure(APIFailure(error)), nil)
        }
        do throws(URLRefusal) {
            let url = try caller.url(for: wish, random: random(Rights.randomBytesOfURL), at: request.now)
            let entry = IssueLog.Entry.issued(
                IssuedArtefact(kind: "url", id: url.id),
                by: "sign_download",
                bucket: wish.bucket,
                key: wish.key.bytes,
                reason: "\(url.reason); via \(url.via.rawValue)",
                until: url.expiresAt,
                onGrants: url.onGrants
            )
            return (.success(Self.answer(url)), entry)
        } catch {
            var failure = APIFailure(error.error)
            failure.reason = error.reason
            return (
                .failure(failure),
                .refused("sign_download", bucket: wish.bucket, key: wish.key.bytes, reason: error.reason)
            )
        }
    }

    private static func wish(_ item: JSONObject, for request: APIRequest) throws(S3Error) -> URLWish {
        guard let bucket = item.text("bucket").flatMap({ BucketName(validating: $0) }) else {
            throw S3Error(.invalidBucketName)
        }
        let key = try ObjectKey(
            validating: Array((item.text("key") ?? "").utf8),
            rules: request.caller.snapshot.server.keyRules
        )
        let overrides = try ResponseOverrides(filename: item.text("filename"), contentType: item.text("content_type"))
        let isHead = item.text("method") == "HEAD"
        return URLWish(
            isHead ? .head : .get,
            ActionSet(isHead ? .headObject : .getObject),
            bucket: bucket,
            key: key,
            query: overrides.query,
            lifetime: item.duration("ttl") ?? usualLifetime,
            via: item.text("via").flatMap(URLWish.Via.init(rawValue:)) ?? .auto
        )
    }

    private static func answer(_ url: SignedURL) -> StrictJSON {
        .object(of: [
            ("url", .string(url.url)),
            ("method", .string(url.method.name)),
            ("headers", .headers(url.fields)),
            ("expires_at", .instant(url.expiresAt)),
            ("capped_by", url.cappedBy.map { .string($0.rawValue) }),
            ("via", .string(url.via.rawValue)),
            ("id", .string(url.id)),
        ])
    }

    private static func error(_ failure: APIFailure, of item: JSONObject) -> StrictJSON {
        .object([
            (
                "error",
                .object([
                    ("code", .string(failure.code.name)), ("message", .string(failure.message)),
                    ("resource", .string("/\(item.text("bucket") ?? "")/\(item.text("key") ?? "")")),
                ])
            )
        ])
    }
}

extension StrictJSON {
    /// Fields as an object: name → value.
    package static func headers(_ fields: FieldBlock) -> StrictJSON {
        .object(
            fields.entries.map { entry in
                (
                    name: String(decoding: fields.name(entry), as: UTF8.self),
                    value: .string(String(decoding: fields.value(entry), as: UTF8.self))
                )
            }
        )
    }
}
