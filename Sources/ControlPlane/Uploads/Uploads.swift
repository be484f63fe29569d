import Admission
import Backends
import HTTP1
import Identity
import Journal
import Pipeline
import S3API
package import Valet
import WireFormats

/// `/-/v1/uploads`: permission to put one object under one exact key, once, for minutes.
package struct Uploads: Sendable {
    private let slots: Slots
    private let log: IssueLog
    private let creation: Creation

    /// - Parameter creations: where it is kept which of them were answered.
    package init(_ slots: Slots, _ log: IssueLog, creations: any IdempotencyStore) {
        self.slots = slots
        self.log = log
        creation = Creation(creations)
    }

    package var operations: [APIOperation] { [create, read, parts, complete, remove] }

    private static let id = APIParameter("id", in: .path, JSONText(32...32, .hexadecimal(digits: 32)))

    // MARK: - Issuing

    private var create: APIOperation {
        APIOperation(
            "createUpload",
            .post,
            "uploads",
            summary: "Issues an upload slot.",
            description: """
                Needs `put_object` on the key. The answer says how the bytes are to be sent: `upload` with a URL and the \
                headers, or the form fields, that it takes; or `parts`. Type, size, checksum and metadata are part of the \
                signature. Without `overwrite`, an object that is there is never replaced. `complete` the slot when the \
                bytes are there.
                """,
            parameters: [.idempotencyKey],
            body: SlotRequest.shape,
            outcomes: [APIOutcome(201, "The slot.", SlotView.shape)],
            failures: [
                APIFailure.Code(.noSuchBucket), APIFailure.Code(.invalidBucketName), APIFailure.Code(.entityTooLarge),
                APIFailure.Code(.metadataTooLarge), .keyTooLong, .proxyOnly, APIFailure.Code(.expiredToken),
                .tooManyOpen,
                .idempotencyConflict, .underWay,
            ] + APIFailure.Code.ofStores
        ) { request async throws(APIFailure) in
            try await creation.once(
                request,
                create: { key async throws(APIFailure) in try await issue(request, for: key) },
                show: { id async throws(APIFailure) in
                    guard let slot = try await slots.slot(id) else { throw APIFailure(.notFound) }
                    return try await repeated(slot, request)
                }
            )
        }
    }

    private func issue(_ request: APIRequest, for creation: IdempotencyKey?) async throws(APIFailure) -> APIAnswer {
        let caller = request.caller
        let rules = caller.snapshot.uploads
        let wish = try SlotRequest(request.body, under: caller.snapshot)
        let permission = try await permission(to: "issue_upload", wish.bucket, wish.key, request)
        guard let bucket = caller.snapshot.bucket(wish.bucket) else { throw APIFailure(S3Error(.noSuchBucket)) }
        let random = slots.random(16)
        let place = SlotPlace(bucket: bucket, client: slots.client, now: slots.now)
        let heeded = try await slots.heeded(at: place, under: rules)
        // What comes in parts is put together by nobody but us, so that it can't come twice.
        let isQuarantined =
            wish.mode != .multipart
            && (wish.mode == .post || wish.mayOverwrite || !bucket.backend.bindsUploads || !heeded.absence)
        let landing: UploadSlot.Landing
        do {
            landing =
                isQuarantined ? .quarantine(try rules.quarantined(wish.key, of: Hex.encode(random))) : .direct
        } catch {
            throw APIFailure(error)
        }
        var prior = UploadSlot.Prior.absent
        if landing == .direct || !wish.mayOverwrite {
            if let object = try await place.object(wish.key) {
                prior = .object(etag: object.etag, versionID: object.versionID)
            }
        }
        let start = Instant(secondsSince1970: request.now.secondsSince1970)
        var end = start + min(wish.lifetime, rules.longestLifetime)
        var cap: SignedURL.Cap? = wish.lifetime > rules.longestLifetime ? .maximum : nil
        if let limit = caller.credentialExpiresAt, limit < end { (end, cap) = (limit, .callerCredential) }
        if let limit = permission.until, limit < end { (end, cap) = (limit, .authorizer) }
        let slot = UploadSlot(
            random: random,
            issuer: caller.principal.description,
            bucket: wish.bucket,
            key: wish.key,
            contentType: wish.contentType,
            size: wish.size,
            sha256: wish.sha256,
            metadata: wish.metadata,
            mode: wish.mode,
            landing: landing,
            prior: prior,
            mayOverwrite: wish.mayOverwrite,
            isOnce: landing == .direct || heeded.source,
            issuedAt: request.now,
            expiresAt: Instant(secondsSince1970: end.secondsSince1970)
        )
        // Signed before it is kept: a slot that can't be used is none.
        let (answer, way) = try await shown(slot, to: request, cappedBy: cap)
        switch try await insert(slot, rules, for: creation) {
        case .inserted: break
        case .tooManyOpen: throw APIFailure(.tooManyOpen, retryAfter: 30)
        case .repeated(let id):
            guard let earlier = try await slots.slot(id) else { throw APIFailure(.notFound) }
            return try await repeated(earlier, request)
        }
        slots.changed()
        let entry = IssueLog.Entry.issued(
            IssuedArtefact(kind: "upload", id: slot.id),
            by: "issue_upload",
            bucket: slot.bucket,
            key: slot.key.bytes,
            reason: permission.reason,
            until: slot.expiresAt
        )
        try await log.record([entry] + slot.entries(of: way), of: request)
        return APIAnswer(201, answer)
    }

    /// The caller's right to put that object: the rule that gives it, and how long the application's word for it holds.
    private func permission(
        to operation: StaticString,
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ request: APIRequest
    ) async throws(APIFailure) -> (reason: String, until: Instant?) {
        let question = Rights.Wish(ActionSet(.putObject), at: .object(bucket, key))
        let verdict = request.caller.verdict(on: question.actions, at: question.target)
        let permission = await request.caller.permissions(for: [question]).first
        if verdict.isAllowed, case .granted(let until)? = permission { return (verdict.reason, until) }
        var reason = verdict.reason
        if case .denied(let told)? = permission { reason = told }
        let entry = IssueLog.Entry.refused(operation, bucket: bucket, key: key.bytes, reason: reason)
        try await log.record([entry], of: request)
        throw .denied(reason)
    }

    /// The answer to a creation that came before: the same slot, with what it takes now to use it.
    private func repeated(_ slot: UploadSlot, _ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        let (answer, way) = try await shown(slot, to: request)
        try await log.record(slot.entries(of: way), of: request)
        return APIAnswer(201, answer)
    }

    private func insert(
        _ slot: UploadSlot,
        _ rules: UploadRules,
        for creation: IdempotencyKey?
    ) async throws(APIFailure) -> SlotInsertion {
        let event = SlotEvent(random: slots.random(16), slot, at: slot.issuedAt)
        do {
            return try await slots.store.insert(
                slot,
                Announcement(event, to: rules.targets),
                openLimit: rules.openPerPrincipal,
                for: creation
            )
        } catch {
            throw APIFailure(error)
        }
    }

    /// The slot, with the way to use it while there is one.
    private func shown(
        _ slot: UploadSlot,
        to request: APIRequest,
        cappedBy cap: SignedURL.Cap? = nil
    ) async throws(APIFailure) -> (StrictJSON, SlotView.Way?) {
        let view = SlotView(slot: slot, cap: cap)
        guard slot.state.isOpen, request.now < slot.expiresAt else { return (view.json(), nil) }
        let lifetime = slot.remaining(at: request.now)
        var asked = slot.wish(for: lifetime)
        // Forms and parts are not signed as this URL.
        if slot.mode != .put { asked.via = .gatehouse }
        let caller = await request.caller.hearing(about: [asked], at: request.now)
        let random = slots.random(Rights.randomBytesOfURL)
        let way: SlotView.Way
        do throws(URLRefusal) {
            switch slot.mode {
            case .multipart: way = .parts
            case .put: way = .url(try caller.url(for: slot.wish(for: lifetime), random: random, at: request.now))
            case .post:
                var wish = slot.wish(for: lifetime)
                wish.fields = slot.objectFields
                way = .form(try caller.form(for: wish, length: slot.size, random: random, at: request.now))
            }
        } catch {
            throw APIFailure(error)
        }
        return (view.json(way, at: request.caller.snapshot.server.view.publicURL), way)
    }

    // MARK: - Using

    private var read: APIOperation {
        APIOperation(
            "getUpload",
            .get,
            "uploads/{id}",
            summary: "A slot of one's own.",
            parameters: [Self.id],
            outcomes: [APIOutcome(200, "The slot.", SlotView.shape)]
        ) { request async throws(APIFailure) in
            APIAnswer(200, SlotView(slot: try await own(request)).json())
        }
    }

    private var parts: APIOperation {
        APIOperation(
            "getUploadParts",
            .get,
            "uploads/{id}/parts",
            summary: "URLs for parts of an upload, freshly signed.",
            parameters: [
                Self.id,
                APIParameter(
                    "numbers",
                    in: .query,
                    JSONText(1...256),
                    .required,
                    "Such as `1-10` or `3,7`; at most 100."
                ),
            ],
            outcomes: [
                APIOutcome(
                    200,
                    "The URLs.",
                    .object([
                        JSONMember(
                            "parts",
                            .array(
                                of: .object([
                                    JSONMember("number", .integer(1...10_000)),
                                    JSONMember("method", .text(oneOf: ["PUT"])),
                                    JSONMember("url", .text(1...16_384)),
                                    JSONMember("headers", .map(of: .text(0...4096), limit: 64)),
                                    JSONMember("expires_at", .instant),
                                ]),
                                count: 0...100
                            )
                        )
                    ])
                )
            ],
            failures: [
                .uploadEnded, .proxyOnly, .keyTooLong, APIFailure.Code(.noSuchBucket), APIFailure.Code(.expiredToken),
            ] + APIFailure.Code.ofStores
        ) { request async throws(APIFailure) in
            let numbers = try PartNumbers(request.parameters["numbers"] ?? "").numbers
            var slot = try await own(request)
            guard slot.mode == .multipart else { throw APIFailure(.invalidRequest, "This upload has no parts.") }
            guard slot.state.isOpen, request.now < slot.expiresAt else { throw APIFailure(.uploadEnded) }
            if slot.multipart == nil {
                let size = UploadSlot.partSize(of: slot.size)
                guard let begun = try await slots.begun(slot.id, partSize: size, under: request.caller.snapshot) else {
                    throw APIFailure(.notFound)
                }
                slot = begun
            }
            guard slot.state.isOpen, let upload = slot.multipart else { throw APIFailure(.uploadEnded) }
            let remaining = slot.remaining(at: request.now)
            let wishes = numbers.compactMap { [slot] in slot.wish(forPart: $0, of: upload, for: remaining) }
            let caller = await request.caller.hearing(about: wishes, at: request.now)
            var parts: [StrictJSON] = []
            var entries: [IssueLog.Entry] = []
            for number in numbers {
                let url = try url(ofPart: number, of: slot, upload, request, as: caller)
                entries.append(slot.entry(of: url.id, until: url.expiresAt, onGrant: url.onGrant))
                parts.append(
                    .object([
                        ("number", .integer(Int64(number))), ("method", .string("PUT")), ("url", .string(url.url)),
                        ("headers", .headers(url.fields)), ("expires_at", .instant(url.expiresAt)),
                    ])
                )
            }
            try await log.record(entries, of: request)
            return APIAnswer(200, .object([("parts", .array(parts))]))
        }
    }

    private func url(
        ofPart number: Int,
        of slot: UploadSlot,
        _ upload: UploadSlot.Multipart,
        _ request: APIRequest,
        as caller: Rights
    ) throws(APIFailure) -> SignedURL {
        guard let wish = slot.wish(forPart: number, of: upload, for: slot.remaining(at: request.now)) else {
            throw APIFailure(.invalidArgument, "This upload has no part \(number).")
        }
        do {
            return try caller.url(for: wish, random: slots.random(Rights.randomBytesOfURL), at: request.now)
        } catch {
            throw APIFailure(error)
        }
    }

    private var complete: APIOperation {
        APIOperation(
            "completeUpload",
            .post,
            "uploads/{id}/complete",
            summary: "Says that the bytes are there, which the store is asked about.",
            description: """
                Answered by what the store says: nothing new is there (`409`), something else than was promised (`422`, and \
                the slot is rejected), or the object. The same again once it has ended. `parts` of a multipart upload may \
                be left out: then all that the store has are put together.
                """,
            parameters: [Self.id],
            body: .object([
                JSONMember(
                    "parts",
                    .array(
                        of: .object([
                            JSONMember("number", .integer(1...10_000)), JSONMember("etag", .text(1...1024)),
                        ]),
                        count: 1...10_000
                    ),
                    .optional
                )
            ]),
            outcomes: [APIOutcome(200, "The slot, completed.", SlotView.shape)],
            failures: [
                .uploadNotFound, .uploadMismatch, .uploadEnded, .keyOccupied, APIFailure.Code(.invalidPart),
                APIFailure.Code(.invalidPartOrder), APIFailure.Code(.noSuchBucket), .keyTooLong,
            ] + APIFailure.Code.ofStores
        ) { request async throws(APIFailure) in
            let slot = try await own(request)
            // Who may not put it any more can't have it brought to its key either.
            if slot.state.isOpen { _ = try await permission(to: "complete_upload", slot.bucket, slot.key, request) }
            var given: [(number: Int, etag: String)]?
            if let objects = request.body.objects("parts") {
                given = objects.map { (Int($0.integer("number") ?? 0), $0.text("etag") ?? "") }
                for (one, next) in zip(given ?? [], (given ?? []).dropFirst()) where one.number >= next.number {
                    throw APIFailure(S3Error(.invalidPartOrder))
                }
            }
            switch try await slots.complete(slot.id, parts: .joined(given), under: request.caller.snapshot) {
            case .unknown: throw APIFailure(.notFound)
            case .notThere(_, let bytes):
                guard let bytes else { throw APIFailure(.uploadNotFound) }
                throw APIFailure(.uploadNotFound, "\(bytes) of \(slot.size) bytes are there.")
            case .ended(let slot): return try Self.ended(slot)
            }
        }
    }

    private static func ended(_ slot: UploadSlot) throws(APIFailure) -> APIAnswer {
        switch (slot.state, slot.cause) {
        case (.completed, _): return APIAnswer(200, SlotView(slot: slot).json())
        case (.rejected, .occupied): throw APIFailure(.keyOccupied)
        case (.rejected, _):
            var failure = APIFailure(.uploadMismatch)
            failure.details = [("fields", .array(slot.differingFields.map { .string($0) }))]
            throw failure
        default: throw APIFailure(.uploadEnded, "This upload has \(slot.state.rawValue).")
        }
    }

    private var remove: APIOperation {
        APIOperation(
            "deleteUpload",
            .delete,
            "uploads/{id}",
            summary: "Takes a slot back.",
            description: "A URL that was handed out stays good until it expires; what it puts is then nobody's.",
            parameters: [Self.id],
            outcomes: [APIOutcome(204, "It is taken back, now or before.")],
            failures: [.uploadEnded]
        ) { request async throws(APIFailure) in
            let slot = try await own(request)
            let ended = try await slots.close(slot.id, under: request.caller.snapshot) {
                (slot, now) throws(SlotRefusal) in try slot.aborted(at: now)
            }
            guard let ended else { throw APIFailure(.notFound) }
            guard ended.state == .aborted else { throw APIFailure(.uploadEnded) }
            return APIAnswer(204)
        }
    }

    /// To everybody but its issuer and admins, it is not there.
    private func own(_ request: APIRequest) async throws(APIFailure) -> UploadSlot {
        let caller = request.caller
        guard let slot = try await slots.slot(request.parameters["id"] ?? ""),
            slot.issuer == caller.principal.description || caller.snapshot.admins.contains(caller.principal)
        else { throw APIFailure(.notFound) }
        return slot
    }
}

extension UploadSlot {
    /// The line about a URL or a form that was signed for it, by the id that its use is known by.
    fileprivate func entry(of url: String, until end: Instant, onGrant: URLOnGrant?) -> IssueLog.Entry {
        .issued(
            IssuedArtefact(kind: "url", id: url),
            by: "sign_url",
            bucket: bucket,
            key: key.bytes,
            reason: "upload:\(id)",
            until: end,
            onGrant: onGrant
        )
    }

    fileprivate func entries(of way: SlotView.Way?) -> [IssueLog.Entry] {
        switch way {
        case .url(let url): [entry(of: url.id, until: url.expiresAt, onGrant: url.onGrant)]
        case .form(let form): [entry(of: form.id, until: form.expiresAt, onGrant: form.onGrant)]
        case .parts, nil: []
        }
    }

    /// What of it differed from what was promised, as the request names it.
    fileprivate var differingFields: [String] {
        let causes: [Cause] = if case .mismatch(let causes) = judge(result) { causes } else { cause.map { [$0] } ?? [] }
        return causes.compactMap { cause in
            switch cause {
            case .sizeMismatch: "size"
            case .contentTypeMismatch: "content_type"
            case .checksumMismatch: "checksum_sha256"
            case .timeout, .byIssuer, .occupied: nil
            }
        }
    }
}

/// `1-10`, `3`, `1-3,7`: at most 100.
struct PartNumbers {
    let numbers: [Int]

    init(_ text: String) throws(APIFailure) {
        var numbers: [Int] = []
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { end in
                end.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(end) : nil
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, 1 <= first,
                first <= last,
                last <= 10_000, last - first < 100, numbers.count + last - first < 100
            else {
                throw APIFailure(.invalidArgument, "'numbers' takes numbers of parts such as 1-10: at most 100.")
            }
            numbers += first...last
        }
        self.numbers = numbers
    }
}

extension APIFailure {
    init(_ refusal: URLRefusal) {
        self.init(refusal.error)
        reason = refusal.reason
    }
}

extension APIFailure.Code {
    static let uploadNotFound = Self("UploadNotFound", 409, "Nothing was uploaded for this slot.")
    static let uploadMismatch = Self("UploadMismatch", 422, "What was uploaded is not what was promised.")
    static let uploadEnded = Self("UploadEnded", 409, "This upload has ended.")
    static let keyOccupied = Self("KeyOccupied", 409, "Something else is under this key.")
    static let tooManyOpen = Self("TooManyOpenUploads", 429, "You have as many open uploads as you may.")

    /// What any operation that asks a store may answer.
    static let ofStores: [Self] = [
        Self(.backendAuthFailed), Self(.backendRedirected), Self(.backendUnreachable), Self(.backendTimeout),
        Self(.backendBadAnswer), Self(.backendCredentialUnavailable), Self(.slowDown),
    ]
}
