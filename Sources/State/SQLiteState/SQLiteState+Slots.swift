import GRDB
package import S3API
package import Valet
package import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

extension SQLiteState: SlotStore {
    package func insert(
        _ slot: UploadSlot,
        _ announcement: Announcement,
        openLimit limit: Int,
        for creation: IdempotencyKey?
    ) async throws(StateError) -> SlotInsertion {
        try await write { database in
            if let creation, let id = try CreationTable.created(database, creation) { return .repeated(id: id) }
            guard try SlotTable.countOpen(database, of: slot.issuer, upTo: limit) < limit else { return .tooManyOpen }
            // The same one again, whose answer was lost.
            guard let number = try SlotTable.insert(database, slot) else { return .inserted }
            try EventTable.insert(database, announcement, of: number)
            try SlotTable.count(database, slot)
            if let creation { try CreationTable.finish(database, creation, .created(slot.id)) }
            return .inserted
        }
    }

    package func countOpen(of issuer: String, upTo limit: Int) async throws(StateError) -> Int {
        try await read { try SlotTable.countOpen($0, of: issuer, upTo: limit) }
    }

    package func slot(_ id: String) async throws(StateError) -> UploadSlot? {
        try await read { try SlotTable.find($0, id) }
    }

    package func replace(
        with next: UploadSlot,
        _ announcement: Announcement?
    ) async throws(StateError) -> SlotReplacement {
        try await write { database in
            guard let (number, state) = try SlotTable.place(database, next.id, revision: next.revision - 1) else {
                return .conflict(try SlotTable.find(database, next.id))
            }
            try SlotTable.update(database, number, next)
            if let announcement { try EventTable.insert(database, announcement, of: number) }
            if state != next.state { try SlotTable.count(database, next) }
            return .replaced
        }
    }

    package func openSlots(
        landingAt key: ObjectKey,
        in bucket: BucketName
    ) async throws(StateError) -> [UploadSlot] {
        try await read { database in
            try SlotTable.fetch(
                database,
                "finished IS NULL AND bucket = ? AND landing = ? ORDER BY number LIMIT 100",
                [bucket.string, Data(key.bytes)]
            )
        }
    }

    package func overdue(
        since instant: Instant,
        inBucketsBut others: Set<BucketName>,
        limit: Int
    ) async throws(StateError) -> [UploadSlot] {
        try await read { database in
            try SlotTable.fetch(
                database,
                "finished IS NULL AND expires < ? AND \(SlotTable.lastArrival) < ? AND \(SlotTable.isElsewhere) "
                    + "ORDER BY expires LIMIT ?",
                [
                    instant.nanosecondsSince1970, instant.nanosecondsSince1970, try SlotTable.list(others), limit,
                ]
            )
        }
    }

    package func uncleared(
        before instant: Instant,
        rejectedBefore rejected: Instant,
        inBucketsBut others: Set<BucketName>,
        limit: Int
    ) async throws(StateError) -> [UploadSlot] {
        try await read { database in
            try SlotTable.fetch(
                database,
                "leftovers AND finished < ? AND \(SlotTable.lastArrival) < ? "
                    + "AND (state <> 'rejected' OR NOT quarantined OR finished < ?) AND \(SlotTable.isElsewhere) "
                    + "ORDER BY finished LIMIT ?",
                [
                    instant.nanosecondsSince1970, instant.nanosecondsSince1970, rejected.nanosecondsSince1970,
                    try SlotTable.list(others), limit,
                ]
            )
        }
    }

    package func forget(finishedBefore instant: Instant, limit: Int) async throws(StateError) -> Int {
        try await write { try SlotTable.forget($0, finishedBefore: instant, limit: limit) }
    }

    package func funnel() async throws(StateError) -> SlotFunnel {
        try await read { try SlotTable.funnel($0) }
    }
}
