import Pipeline
import Valet
import WireFormats

/// What slots that have ended left at their stores.
extension Slots {
    /// What was rejected is removed at once where that is wanted; what stays, the reaper comes upon.
    func removeRejected(_ slot: UploadSlot, at place: SlotPlace, under snapshot: Snapshot) async {
        guard slot.state == .rejected, snapshot.uploads.onMismatch == .delete, let found = slot.result,
            case .quarantine(let waiting) = slot.landing
        else { return }
        try? await place.removeQuarantined(waiting, versionID: found.versionID)
    }

    /// What was uploaded to a revoked slot goes at once. Its URL may bring more until it ends, which the reaper removes.
    func removeRevoked(_ slot: UploadSlot, under snapshot: Snapshot) async {
        guard slot.cause == .revoked, case .quarantine(let waiting) = slot.landing,
            let place = try? place(of: slot, under: snapshot), let left = try? await place.object(waiting)
        else { return }
        try? await place.removeQuarantined(waiting, versionID: left.versionID)
    }

    /// Removes what a slot that has ended left at the store, and tells of what may not be removed. Nothing more may come of
    /// it.
    func clear(_ slot: UploadSlot, under snapshot: Snapshot) async throws(APIFailure) {
        if let place = try? place(of: slot, under: snapshot) {
            if let upload = slot.multipart, slot.state != .completed {
                try await place.abort(slot.landingKey, uploadID: upload.uploadID)
            }
            if case .quarantine(let waiting) = slot.landing, let left = try await place.object(waiting) {
                try await place.removeQuarantined(waiting, versionID: left.versionID)
            }
            if slot.mayBringStray {
                let found = try await measured(try await place.object(slot.key), of: slot, at: place)
                if let found, slot.judge(found) == .matches { strays.note(found, of: slot, at: now()) }
            }
        }
        do {
            if let next = try? slot.cleared() { _ = try await store.replace(with: next, nil) }
        } catch {
            throw APIFailure(error)
        }
    }
}
