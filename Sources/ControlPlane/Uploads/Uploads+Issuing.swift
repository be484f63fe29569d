import Admission
import Backends
import HTTP1
import Identity
import Journal
import Pipeline
import S3API
import Valet
import WireFormats

extension Uploads {
    var create: APIOperation {
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
                    try await repeated(try await shown(id, to: request.caller), request)
                }
            )
        }
    }

    private func issue(_ request: APIRequest, for creation: IdempotencyKey?) async throws(APIFailure) -> APIAnswer {
        let caller = request.caller
        let rules = caller.snapshot.uploads
        let random = slots.random(16)
        let wish = try SlotRequest(request.body, by: caller, id: Hex.encode(random))
        // Where it lands is not known yet: what signs its URL looks again, and nothing else makes it conditional.
        let condition = UploadSlot.condition(of: wish.mode, isDirect: !wish.mayOverwrite)
        let permission = try await permission(to: "issue_upload", wish.bucket, wish.key, if: condition, request)
        guard let bucket = caller.snapshot.bucket(wish.bucket) else { throw APIFailure(S3Error(.noSuchBucket)) }
        try await requireRoom(caller.principal, rules)
        let destination = try await destination(of: wish, in: bucket, random, under: rules)
        func made(until end: Instant) -> UploadSlot {
            UploadSlot(
                random: random,
                issuer: caller.principal.description,
                grounds: caller.grounds(permission.grants, at: request.now),
                bucket: wish.bucket,
                key: wish.key,
                contentType: wish.contentType,
                size: wish.size,
                sha256: wish.sha256,
                metadata: wish.metadata,
                mode: wish.mode,
                landing: destination.landing,
                prior: destination.prior,
                mayOverwrite: wish.mayOverwrite,
                isOnce: destination.isOnce,
                issuedAt: request.now,
                expiresAt: Instant(secondsSince1970: end.secondsSince1970)
            )
        }
        let (end, limit) = wish.end(under: rules, within: permission.limits, from: request.now)
        var (slot, cap) = (made(until: end), limit)
        // Signed before it is kept: a slot that can't be used is none.
        guard let way = try await way(to: slot, for: request) else {
            throw APIFailure(APIFailure.Code(.expiredToken), reason: "nothing is left of its time")
        }
        if let last = way.expiresAt, last < slot.expiresAt {
            // What the URL rests on besides, such as the store's credential, ends before.
            (slot, cap) = (made(until: last), way.cap)
        }
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
        return APIAnswer(201, json(of: slot, way, cappedBy: cap, for: request))
    }

    /// Where the bytes land, what is there before them, and whether the store keeps the slot from being used twice.
    private func destination(
        of wish: SlotRequest,
        in bucket: Bucket,
        _ random: [UInt8],
        under rules: UploadRules
    ) async throws(APIFailure) -> (landing: UploadSlot.Landing, prior: UploadSlot.Prior, isOnce: Bool) {
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
        if landing == .direct || !wish.mayOverwrite, let object = try await place.object(wish.key) {
            prior = .object(etag: object.etag, versionID: object.versionID)
        }
        return (landing, prior, landing == .direct || heeded.source)
    }

    /// The answer to a creation that came before: the same slot, with what it takes now to use it.
    private func repeated(_ slot: UploadSlot, _ request: APIRequest) async throws(APIFailure) -> APIAnswer {
        let way = try await way(to: slot, for: request)
        try await log.record(slot.entries(of: way), of: request)
        return APIAnswer(201, json(of: slot, way, for: request))
    }

    /// Before a store or whoever signs for it is asked about one slot more; ``insert(_:_:for:)`` has the last word.
    private func requireRoom(_ principal: Principal, _ rules: UploadRules) async throws(APIFailure) {
        let open: Int
        do {
            open = try await slots.store.countOpen(of: principal.description, upTo: rules.openPerPrincipal)
        } catch {
            throw APIFailure(error)
        }
        guard open < rules.openPerPrincipal else { throw APIFailure(.tooManyOpen, retryAfter: 30) }
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

    private func json(
        of slot: UploadSlot,
        _ way: SlotView.Way?,
        cappedBy cap: SignedURL.Cap? = nil,
        for request: APIRequest
    ) -> StrictJSON {
        SlotView(slot: slot, cap: cap).json(way, at: request.caller.snapshot.server.view.publicURL)
    }

    /// How the bytes of a slot are to be sent, while they can be.
    private func way(to slot: UploadSlot, for request: APIRequest) async throws(APIFailure) -> SlotView.Way? {
        guard slot.state.isOpen, request.now < slot.expiresAt else { return nil }
        let lifetime = slot.remaining(at: request.now)
        var asked = slot.wish(for: lifetime)
        // Forms and parts are not signed as this URL.
        if slot.mode != .put { asked.via = .gatehouse }
        let caller = await request.caller.hearing(about: [asked], at: request.now)
        let random = slots.random(Rights.randomBytesOfURL)
        do throws(URLRefusal) {
            switch slot.mode {
            case .multipart: return .parts
            case .put: return .url(try caller.url(for: slot.wish(for: lifetime), random: random, at: request.now))
            case .post:
                var wish = slot.wish(for: lifetime)
                wish.fields = slot.objectFields
                return .form(try caller.form(for: wish, length: slot.size, random: random, at: request.now))
            }
        } catch {
            throw APIFailure(error)
        }
    }
}
