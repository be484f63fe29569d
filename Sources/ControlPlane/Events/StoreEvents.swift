import Backends
import Crypto
import HTTP1
package import Pipeline
import S3API
import Synchronization
import Valet
import WireFormats

/// Takes stores' word for a hint: the slots that it may be about are completed if the store, asked, says so too.
package final class StoreEvents: Sendable {
    /// What became of messages since the start.
    package struct Tally: Sendable {
        /// They were about slots that could be completed by them.
        package var used: UInt64 = 0
        /// About other things.
        package var ignored: UInt64 = 0
        /// Not understood as often as they were tried, and dropped.
        package var poisoned: UInt64 = 0
    }

    enum Outcome: Hashable {
        case handled
        /// To be tried again: the store or the state can't be asked at present.
        case later
        /// It is not understood, and was not this often before.
        case unreadable(tries: Int)
    }

    /// How often a message may come that nobody understands.
    static let mostTries = 5
    private static let mostRemembered = 1000

    private let slots: Slots
    private let tally = Mutex(Tally())
    /// How often what was not understood has come: by its digest.
    private let tries = Mutex<[[UInt8]: Int]>([:])

    package init(_ slots: Slots) { self.slots = slots }

    package var counts: Tally { tally.withLock { $0 } }

    /// - Parameter source: the account or bucket that it comes from; nil: any that the bucket's name at the store fits.
    func take(_ body: [UInt8], from source: String?, under snapshot: Snapshot) async -> Outcome {
        guard let notification = StoreNotification(body) else { return unreadable(body) }
        var used = false
        for record in Set(notification.created) {
            do throws(APIFailure) {
                for (bucket, key) in Self.places(of: record, source, snapshot) {
                    for slot in try await open(at: key, in: bucket.name) {
                        if case .ended = try await slots.complete(slot.id, under: snapshot) { used = true }
                    }
                }
            } catch {
                return .later
            }
        }
        tally.withLock { if used { $0.used += 1 } else { $0.ignored += 1 } }
        return .handled
    }

    private func open(at key: ObjectKey, in bucket: BucketName) async throws(APIFailure) -> [UploadSlot] {
        do {
            return try await slots.store.openSlots(landingAt: key, in: bucket)
        } catch {
            throw APIFailure(error)
        }
    }

    /// Where a key at a store is seen here: several buckets may lie in one.
    private static func places(
        of record: StoreNotification.Record,
        _ source: String?,
        _ snapshot: Snapshot
    ) -> [(Bucket, ObjectKey)] {
        var buckets = snapshot.namedBuckets
        if let account = snapshot.openAccount, let name = BucketName(validating: record.bucket),
            !buckets.contains(where: { $0.name == name }), let bucket = snapshot.bucket(name),
            source == nil || account.upstream.name == source
        {
            buckets.append(bucket)
        }
        return buckets.compactMap { bucket in
            guard bucket.backend.bucketName == record.bucket,
                source == nil || bucket.upstream.name == source || bucket.name.string == source,
                let key = bucket.backend.shownKey(record.key)
            else { return nil }
            return (bucket, key)
        }
    }

    private func unreadable(_ body: [UInt8]) -> Outcome {
        let digest = Array(SHA256.hash(data: body))
        let count = tries.withLock { tries in
            if tries.count >= Self.mostRemembered, tries[digest] == nil { tries.removeAll() }
            tries[digest, default: 0] += 1
            return tries[digest] ?? 1
        }
        guard count >= Self.mostTries else { return .unreadable(tries: count) }
        drop(digest)
        return .unreadable(tries: count)
    }

    private func drop(_ digest: [UInt8]) {
        tries.withLock { $0[digest] = nil }
        tally.withLock { $0.poisoned += 1 }
    }

    /// Answers whoever pushed it: senders repeat what is not answered with a success.
    package func take(_ push: EventPush.Delivered) async -> Reply {
        switch await take(push.body, from: push.source, under: push.snapshot) {
        case .handled: return Self.reply(200, "{\"status\":\"handled\"}")
        case .later:
            var reply = Self.reply(503, "{\"status\":\"later\"}")
            reply.fields.append("retry-after", "5")
            return reply
        case .unreadable(let tries) where tries >= Self.mostTries:
            return Self.reply(200, "{\"status\":\"dropped\"}")
        case .unreadable: return Self.reply(400, "{\"status\":\"not understood\"}")
        }
    }

    private static func reply(_ status: Int, _ text: String) -> Reply {
        var reply = Reply(status: status)
        reply.fields.append("content-type", "application/json")
        reply.fields.append("cache-control", "no-store")
        reply.body = Array(text.utf8)
        return reply
    }
}
