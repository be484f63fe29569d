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
        /// Of no use as often as they were tried, and dropped.
        package var poisoned: UInt64 = 0
    }

    enum Outcome: Hashable {
        case handled
        /// The store or the state can't be asked, for the so-manieth time.
        case later(tries: Int)
        /// It is not understood, for the so-manieth time.
        case unreadable(tries: Int)
    }

    /// How often a message may come that nobody understands.
    static let mostTries = 5
    /// How often one may come that nothing can be done about. More often, since stores come back; and not for ever, since
    /// slots are looked at when they expire whether a message came or not.
    static let mostWaits = 20
    private static let mostRemembered = 1000

    private let slots: Slots
    private let tally = Mutex(Tally())
    /// How often what came to nothing has come: by its digest.
    private let tries = Mutex<[[UInt8]: Int]>([:])

    package init(_ slots: Slots) { self.slots = slots }

    package var counts: Tally { tally.withLock { $0 } }

    /// - Parameter source: the account or bucket that it comes from; nil: any that the bucket's name at the store fits.
    func take(_ body: [UInt8], from source: String?, under snapshot: Snapshot) async -> Outcome {
        guard let notification = StoreNotification(body) else {
            return .unreadable(tries: tried(body, atMost: Self.mostTries))
        }
        var (used, isWhole) = (false, true)
        for record in Set(notification.created) {
            do throws(APIFailure) {
                for (bucket, key) in Self.places(of: record, source, snapshot) {
                    for slot in try await open(at: key, in: bucket.name) {
                        let ended = try await slots.complete(slot.id, for: .store, under: snapshot)
                        if case .ended = ended { used = true }
                    }
                }
            } catch {
                // The other objects of the message can be somebody else's, at a store that answers.
                isWhole = false
            }
        }
        guard isWhole else { return .later(tries: tried(body, atMost: Self.mostWaits)) }
        forget(body)
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

    /// How often a message has come to nothing by now. The last time that it may, it is forgotten.
    private func tried(_ body: [UInt8], atMost most: Int) -> Int {
        let digest = Array(SHA256.hash(data: body))
        return tries.withLock { tries in
            if tries.count >= Self.mostRemembered, tries[digest] == nil { tries.removeAll() }
            let count = (tries[digest] ?? 0) + 1
            tries[digest] = count < most ? count : nil
            return count
        }
    }

    private func forget(_ body: [UInt8]) {
        tries.withLock { tries in
            if !tries.isEmpty { tries[Array(SHA256.hash(data: body))] = nil }
        }
    }

    /// Whether a message is dropped that came to nothing again.
    ///
    /// - Parameter handedOut: how often its queue says that it handed it out; 0 where nobody counts but us.
    func drops(_ outcome: Outcome, handedOut: Int = 0) -> Bool {
        let isLast =
            switch outcome {
            case .handled: false
            case .later(let tries): max(tries, handedOut) >= Self.mostWaits
            case .unreadable(let tries): max(tries, handedOut) >= Self.mostTries
            }
        if isLast { tally.withLock { $0.poisoned += 1 } }
        return isLast
    }

    /// Answers whoever pushed it: senders repeat what is not answered with a success.
    package func take(_ push: EventPush.Delivered) async -> Reply {
        let outcome = await take(push.body, from: push.source, under: push.snapshot)
        if drops(outcome) { return Self.reply(200, "{\"status\":\"dropped\"}") }
        switch outcome {
        case .handled: return Self.reply(200, "{\"status\":\"handled\"}")
        case .later:
            var reply = Self.reply(503, "{\"status\":\"later\"}")
            reply.fields.append("retry-after", "5")
            return reply
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
