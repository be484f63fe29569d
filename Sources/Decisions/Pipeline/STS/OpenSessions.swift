import Admission
import Identity
import WireFormats

/// Session tokens that were opened lately: warm callers cost no decryption. A value confined to its loop, bounded, and
/// good for one configuration: a key that is taken away takes its tokens along.
struct OpenSessions: Sendable {
    final class Entry: Sendable {
        let session: Session
        let secret: Secret<String>
        let policies: [PolicyDocument]
        fileprivate let token: [UInt8]

        fileprivate init(
            _ session: Session,
            _ secret: Secret<String>,
            _ policies: [PolicyDocument],
            _ token: [UInt8]
        ) {
            self.session = session
            self.secret = secret
            self.policies = policies
            self.token = token
        }
    }

    private let capacity: Int
    private var entries: [String: Entry] = [:]
    private var generation = 0
    /// Opened for the request at hand, and not yet known to be shown by whoever has its secret.
    private var newcomer: (accessKeyID: String, entry: Entry)?

    init(capacity: Int = 1024) {
        precondition(capacity > 0, "it holds something")
        self.capacity = capacity
    }

    var count: Int { entries.count }

    /// Nil for what is no token of ours.
    mutating func open(
        _ token: [UInt8],
        accessKeyID: String,
        under snapshot: Snapshot
    ) throws(Refusal) -> Entry? {
        if snapshot.generation != generation {
            entries.removeAll(keepingCapacity: true)
            generation = snapshot.generation
        }
        newcomer = nil
        if let known = entries[accessKeyID], known.token == token { return known }
        guard let (session, secret) = snapshot.sessionKeys?.open(token, accessKeyID: accessKeyID) else { return nil }
        let entry = Entry(session, secret, try CredentialHolder.session(session).compiledPolicies, token)
        newcomer = (accessKeyID, entry)
        return entry
    }

    /// Keeps the one that was opened last: whoever showed it has its secret too. Strangers push nobody out.
    mutating func keepNewcomer() {
        guard let (accessKeyID, entry) = newcomer else { return }
        newcomer = nil
        if entries.count >= capacity { entries.removeAll(keepingCapacity: true) }
        entries[accessKeyID] = entry
    }
}
