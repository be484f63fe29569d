import Crypto
import Identity
import Synchronization
import WireFormats

/// A browser that logged in.
struct AdminSession: Sendable {
    let principal: Principal
    /// By which key they logged in: where it is theirs no more, the session ends.
    let key: APIKeyDigest
    /// Every form of the session carries it.
    let csrfToken: String
    let startedAt: Instant
    let expiresAt: Instant
}

/// The console's sessions, in memory: bounded, gone after 12 hours or a restart. Kept by the hash of their token, so
/// that looking one up tells nothing through time, and a memory dump no token.
final class SessionStore: Sendable {
    static let lifetime: Duration = .seconds(12 * 3600)
    private let maximum: Int
    private let sessions = Mutex<[SHA256Digest: AdminSession]>([:])

    init(maximum: Int = 1000) {
        self.maximum = maximum
    }

    /// Remembers `session` under `token`. Where there is no room the session that ends soonest goes.
    func insert(_ session: AdminSession, token: String, now: Instant) {
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.expiresAt > now }
            if sessions.count >= maximum, let oldest = sessions.min(by: { $0.value.expiresAt < $1.value.expiresAt }) {
                sessions[oldest.key] = nil
            }
            sessions[Self.digest(token)] = session
        }
    }

    func session(token: String, now: Instant) -> AdminSession? {
        sessions.withLock { sessions in
            let digest = Self.digest(token)
            guard let session = sessions[digest] else { return nil }
            if session.expiresAt <= now {
                sessions[digest] = nil
                return nil
            }
            return session
        }
    }

    func remove(token: String) {
        sessions.withLock { $0[Self.digest(token)] = nil }
    }

    private static func digest(_ token: String) -> SHA256Digest {
        var hash = SHA256()
        hash.update(data: Array(token.utf8))
        return hash.finalize()
    }
}
