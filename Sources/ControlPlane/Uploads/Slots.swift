import Backends
import Identity
import Pipeline
import S3API
package import Valet
package import WireFormats

/// What happens to upload slots once they are issued: each is ended once, whoever comes first, by what the store itself says
/// is there.
package final class Slots: Sendable {
    let store: any SlotStore
    let client: StoreClient
    let grounds: SlotGrounds
    let strays: StrayUploads
    private let log: SlotLog
    let now: @Sendable () -> Instant
    let random: @Sendable (Int) -> [UInt8]
    /// Somebody may have to be told something.
    let changed: @Sendable () -> Void
    private let turns = SlotTurns()
    private let conditions = StoreConditions()

    /// - Parameters:
    ///   - random: so many unpredictable bytes.
    ///   - changed: called after events were put into the outbox.
    package init(
        _ store: any SlotStore,
        _ client: StoreClient,
        _ grounds: SlotGrounds,
        _ strays: StrayUploads,
        _ log: SlotLog,
        now: @escaping @Sendable () -> Instant,
        random: @escaping @Sendable (Int) -> [UInt8],
        changed: @escaping @Sendable () -> Void
    ) {
        self.store = store
        self.client = client
        self.grounds = grounds
        self.strays = strays
        self.log = log
        self.now = now
        self.random = random
        self.changed = changed
    }

    /// How an attempt to complete a slot came out.
    enum Completion: Sendable {
        /// It has ended, now or before.
        case ended(UploadSlot)
        /// Nothing was uploaded so far; in parts, so much of it.
        case notThere(UploadSlot, bytes: Int64?)
        /// There is no such slot.
        case unknown
    }

    /// What is done about a multipart upload that nobody put together yet.
    enum Parts: Sendable {
        /// It is put together, of these or of all that the store has.
        case joined([(number: Int, etag: String)]?)
        /// Nothing: whoever uploads hasn't said that it is whole.
        case left
    }

    /// Completes or rejects a slot by what is there; takes it back where what it was issued on was revoked.
    func complete(
        _ id: String,
        parts: Parts = .joined(nil),
        for caller: SlotCaller,
        under snapshot: Snapshot
    ) async throws(APIFailure) -> Completion {
        try log.requireWritable(under: snapshot)
        return try await turns.take(id) { [self] () async throws(APIFailure) -> Completion in
            guard let slot = try await slot(id) else { return .unknown }
            guard slot.state.isOpen else { return .ended(slot) }
            if try await isGroundless(slot) {
                let ended = try await end(slot, for: caller, under: snapshot) { (slot, now) throws(SlotRefusal) in
                    try slot.revoked(at: now)
                }
                await removeRevoked(ended, under: snapshot)
                return .ended(ended)
            }
            let place = try place(of: slot, under: snapshot)
            var arrival = Arrival.seen
            if slot.mode == .multipart {
                switch try await finish(slot, parts, at: place) {
                case .incomplete(let bytes): return .notThere(slot, bytes: bytes)
                case .occupied:
                    return .ended(
                        try await put(by: caller, under: snapshot) { now throws(SlotRefusal) in
                            try slot.rejected(for: .occupied, found: nil, at: now)
                        }
                    )
                case .finished(let how): arrival = how
                }
            }
            let found = try await measured(try await place.object(slot.landingKey), of: slot, at: place)
            switch (slot.judge(found, arrival), found) {
            case (.notFound, _), (.matches, nil): return .notThere(slot, bytes: nil)
            case (.mismatch(let causes), let found):
                let ended = try await put(by: caller, under: snapshot) { now throws(SlotRefusal) in
                    try slot.rejected(for: causes.first ?? .sizeMismatch, found: found, at: now)
                }
                await removeRejected(ended, at: place, under: snapshot)
                return .ended(ended)
            case (.matches, let found?): return try await accept(slot, found, at: place, for: caller, under: snapshot)
            }
        }
    }

    /// The object with its checksum, where one was promised and the store keeps none: its bytes are read for it.
    func measured(
        _ found: FoundObject?,
        of slot: UploadSlot,
        at place: SlotPlace
    ) async throws(APIFailure) -> FoundObject? {
        guard let found, slot.sha256 != nil, found.sha256 == nil, found.size == slot.size else { return found }
        guard let digest = try await place.digest(slot.landingKey, found) else { return nil }
        return found.measured(digest)
    }

    private func accept(
        _ slot: UploadSlot,
        _ found: FoundObject,
        at place: SlotPlace,
        for caller: SlotCaller,
        under snapshot: Snapshot
    ) async throws(APIFailure) -> Completion {
        guard case .quarantine(let waiting) = slot.landing else {
            return .ended(
                try await put(by: caller, under: snapshot) { now throws(SlotRefusal) in
                    try slot.completed(with: found, at: now)
                }
            )
        }
        // One after the other where several are for one key: some stores don't look whether something is there.
        let brought = try await turns.take("\(slot.bucket)/\(slot.key)") { () async throws(APIFailure) in
            try await place.promote(waiting, found, of: slot, if: slot.mayOverwrite ? .any : .absent)
        }
        switch brought {
        case .gone: return .notThere(slot, bytes: nil)
        case .occupied:
            return .ended(
                try await put(by: caller, under: snapshot) { now throws(SlotRefusal) in
                    try slot.rejected(for: .occupied, found: found, at: now)
                }
            )
        case .there: break
        }
        let result = try await place.object(slot.key) ?? found
        let ended = try await put(by: caller, under: snapshot) { now throws(SlotRefusal) in
            try slot.completed(with: result, at: now)
        }
        // The reaper looks again once nothing can be put there any more.
        try? await place.removeQuarantined(waiting, versionID: found.versionID)
        return .ended(ended)
    }

    private enum Finish {
        case finished(Arrival)
        case occupied
        case incomplete(Int64?)
    }

    /// Has the store put the parts together, if they are what was promised.
    private func finish(_ slot: UploadSlot, _ wanted: Parts, at place: SlotPlace) async throws(APIFailure) -> Finish {
        guard let upload = slot.multipart else { return .incomplete(nil) }
        // Where the upload is gone, it may be that it was finished and nobody heard of it: what is there tells.
        guard let stored = try await place.parts(slot.landingKey, uploadID: upload.uploadID) else {
            return .finished(.seen)
        }
        guard case .joined(let given) = wanted else { return .incomplete(nil) }
        let known = Dictionary(grouping: stored, by: \.number)
        let chosen: [SlotPlace.StoredPart]
        if let given {
            chosen = try given.map { (part) throws(APIFailure) in
                let match = known[part.number]?.last { unquoted($0.etag) == unquoted(part.etag) }
                guard let match else { throw APIFailure(S3Error(.invalidPart)) }
                return match
            }
        } else {
            chosen = known.values.compactMap(\.last).sorted { $0.number < $1.number }
        }
        var bytes: Int64 = 0
        for part in chosen {
            let (sum, overflows) = bytes.addingReportingOverflow(part.size)
            guard !overflows else { throw APIFailure(S3Error(.backendBadAnswer)) }
            bytes = sum
        }
        guard bytes == slot.size else { return .incomplete(bytes) }
        let parts = chosen.map { (number: $0.number, etag: $0.etag) }
        let occupancy: Occupancy = slot.mayOverwrite ? .any : .absent
        // Some stores pass over the condition; theirs is one that is not there.
        if occupancy == .absent, try await place.object(slot.landingKey) != nil { return .occupied }
        switch try await place.finish(slot.landingKey, uploadID: upload.uploadID, parts: parts, if: occupancy) {
        case .there: return .finished(.made)
        case .gone: return .finished(.seen)
        case .occupied: return .occupied
        }
    }

    /// Begins a slot's multipart upload, once.
    func begun(
        _ id: String,
        partSize: Int64,
        under snapshot: Snapshot
    ) async throws(APIFailure) -> UploadSlot? {
        try await turns.take(id) { [self] () async throws(APIFailure) -> UploadSlot? in
            guard let slot = try await slot(id) else { return nil }
            guard slot.state.isOpen, slot.multipart == nil else { return slot }
            let place = try place(of: slot, under: snapshot)
            let uploadID = try await place.begin(slot.landingKey, fields: slot.objectFields)
            let upload = UploadSlot.Multipart(uploadID: uploadID, partSize: partSize)
            let kept = try await put(by: nil, under: snapshot) { _ throws(SlotRefusal) in
                try slot.started(multipart: upload)
            }
            if kept.multipart != upload { try? await place.abort(slot.landingKey, uploadID: uploadID) }
            return kept
        }
    }

    /// Ends a slot that is taken back, or that nobody used.
    func close(
        _ id: String,
        for caller: SlotCaller,
        under snapshot: Snapshot,
        by change: @escaping @Sendable (UploadSlot, Instant) throws(SlotRefusal) -> UploadSlot
    ) async throws(APIFailure) -> UploadSlot? {
        try log.requireWritable(under: snapshot)
        return try await turns.take(id) { [self] () async throws(APIFailure) -> UploadSlot? in
            guard let slot = try await slot(id) else { return nil }
            guard slot.state.isOpen else { return slot }
            return try await end(slot, for: caller, under: snapshot, by: change)
        }
    }

    /// Ends a slot without an object: its parts are given up.
    private func end(
        _ slot: UploadSlot,
        for caller: SlotCaller,
        under snapshot: Snapshot,
        by change: (UploadSlot, Instant) throws(SlotRefusal) -> UploadSlot
    ) async throws(APIFailure) -> UploadSlot {
        let ended = try await put(by: caller, under: snapshot) { now throws(SlotRefusal) in try change(slot, now) }
        if let upload = slot.multipart, let place = try? place(of: slot, under: snapshot) {
            try? await place.abort(slot.landingKey, uploadID: upload.uploadID)
        }
        return ended
    }

    private func isGroundless(_ slot: UploadSlot) async throws(APIFailure) -> Bool {
        do {
            return try await grounds.areGone(of: slot)
        } catch {
            throw APIFailure(error)
        }
    }

    /// Which conditions the store of a bucket heeds.
    func heeded(at place: SlotPlace, under rules: UploadRules) async throws(APIFailure) -> StoreConditions.Heeded {
        try await conditions.heeded(at: place, under: rules, random: random)
    }

    // MARK: - Parts of it

    func slot(_ id: String) async throws(APIFailure) -> UploadSlot? {
        do {
            return try await store.slot(id)
        } catch {
            throw APIFailure(error)
        }
    }

    func place(of slot: UploadSlot, under snapshot: Snapshot) throws(APIFailure) -> SlotPlace {
        guard let bucket = snapshot.bucket(slot.bucket) else { throw APIFailure(S3Error(.noSuchBucket)) }
        return SlotPlace(bucket: bucket, client: client, now: now)
    }

    /// Puts the next revision of a slot in its place, announces it and writes down how it ended; the slot as somebody else
    /// left it where they were first, who then did all that.
    ///
    /// - Parameter caller: nil where it does not end.
    private func put(
        by caller: SlotCaller?,
        under snapshot: Snapshot,
        _ change: (Instant) throws(SlotRefusal) -> UploadSlot
    ) async throws(APIFailure) -> UploadSlot {
        let now = now()
        let next: UploadSlot
        do {
            next = try change(now)
        } catch {
            throw APIFailure(.init(.internalError), reason: "slot: \(error)")
        }
        let replacement: SlotReplacement
        do {
            let event = SlotEvent(random: random(16), next, at: now)
            replacement = try await store.replace(with: next, Announcement(event, to: snapshot.uploads.targets))
        } catch {
            throw APIFailure(error)
        }
        switch replacement {
        case .replaced:
            changed()
            if let caller { await log.record(next, by: caller, at: now) }
            return next
        case .conflict(let other?): return other
        case .conflict(nil): throw APIFailure(.notFound)
        }
    }
}

func unquoted(_ etag: String) -> Substring {
    etag.count >= 2 && etag.hasPrefix("\"") && etag.hasSuffix("\"") ? etag.dropFirst().dropLast() : etag[...]
}
