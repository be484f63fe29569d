import Crypto
import Identity
import Pipeline
import Synchronization
import WireFormats

/// What is known of tokens that were seen: found by the hash of the whole token, in shards so that loops don't wait for
/// each other. Bounded; an entry ends with the token, with the configuration it was verified under, and with the keys.
final class TokenMemory: Sendable {
    /// The whole token's SHA-256, and the snapshot it was verified under, which says by whom.
    struct Key: Hashable, Sendable {
        fileprivate let digest: SHA256.Digest
        private let generation: Int

        init(_ token: BearerToken, under snapshot: Snapshot) {
            digest = token.digest
            generation = snapshot.generation
        }

        /// The digest is as good as random: a part of it is a hash.
        func hash(into hasher: inout Hasher) {
            digest.withUnsafeBytes { hasher.combine($0.loadUnaligned(as: UInt64.self)) }
        }
    }

    private struct Verified: Sendable {
        let identity: TokenIdentity
        /// Nil where the keys are the configuration's own, which only a new generation changes.
        let keys: IssuerKeys?
        let epoch: Int
    }

    private struct Refused: Sendable {
        let refusal: TokenRefusal
        let until: Instant
    }

    private struct Shard: Sendable {
        var verified: RecentEntries<Key, Verified>
        /// Apart, so that whoever sends rubbish pushes nobody out.
        var refused: RecentEntries<Key, Refused>
    }

    private static let shardCount = 16
    private static let refusalLifetime = Duration.seconds(5)

    private let shards: [Mutexed]

    private final class Mutexed: Sendable {
        let shard: Mutex<Shard>
        init(_ shard: Shard) { self.shard = Mutex(shard) }
    }

    /// - Parameters: how many of each are kept at most.
    init(verified: Int = 10_000, refused: Int = 2_000) {
        shards = (0..<Self.shardCount).map { _ in
            Mutexed(
                Shard(
                    verified: RecentEntries(limit: verified / Self.shardCount),
                    refused: RecentEntries(limit: refused / Self.shardCount)
                )
            )
        }
    }

    /// What is known without asking anybody; nil where the token has to be verified.
    func finding(_ key: Key, at now: Instant) -> TokenFinding? {
        shard(of: key).shard.withLock { shard in
            if let entry = shard.verified.value(of: key) {
                guard now < entry.identity.acceptedUntil else {
                    shard.verified.remove(key)
                    return .refused(TokenRefusal.expired)
                }
                guard entry.keys?.epoch ?? 0 == entry.epoch else {
                    shard.verified.remove(key)
                    return nil
                }
                return .verified(entry.identity)
            }
            guard let entry = shard.refused.value(of: key), now < entry.until else { return nil }
            return .refused(entry.refusal)
        }
    }

    /// - Parameter epoch: of the keys, from before the token was verified.
    func remember(_ identity: TokenIdentity, by keys: IssuerKeys?, epoch: Int, as key: Key) {
        shard(of: key).shard.withLock {
            $0.verified.insert(Verified(identity: identity, keys: keys, epoch: epoch), for: key)
        }
    }

    func remember(_ refusal: TokenRefusal, as key: Key, at now: Instant) {
        shard(of: key).shard.withLock {
            $0.refused.insert(Refused(refusal: refusal, until: now + Self.refusalLifetime), for: key)
        }
    }

    private func shard(of key: Key) -> Mutexed {
        shards[key.digest.withUnsafeBytes { Int($0[8]) } % Self.shardCount]
    }
}

extension TokenFinding {
    static func refused(_ refusal: TokenRefusal) -> TokenFinding {
        .refused(reason: refusal.reason, failure: refusal.failure)
    }
}
