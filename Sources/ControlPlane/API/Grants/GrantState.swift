import Admission
import Identity
import Pipeline
import S3API
import Valet
import WireFormats

/// What became of a grant: whether it can be used, and if not, why. Every list says the same, and it is what a use is
/// decided by; what the giver may do with the object itself is asked at each use.
enum GrantState: String, CaseIterable, Sendable {
    case inForce = "in_force"
    case takenBack = "taken_back"
    case expired
    case usedUp = "used_up"
    /// Everything that was issued to the giver up to an instant was ended.
    case giverRevoked = "giver_revoked"
    case giverBlocked = "giver_blocked"
    /// The configuration has nobody of that name any more.
    case giverGone = "giver_gone"

    /// For whoever reads it.
    var words: String { rawValue.replacing("_", with: " ") }

    /// Whether taking it back changes anything: a block is lifted, and a giver comes back with the next configuration.
    var canBeTakenBack: Bool {
        switch self {
        case .inForce, .giverBlocked, .giverGone: true
        case .takenBack, .expired, .usedUp, .giverRevoked: false
        }
    }

    /// - Parameter standing: of a giver, for what was given then.
    init(of record: GrantRecord, at now: Instant, _ standing: (Giver, Instant) -> GiverStanding) {
        let grant = record.grant
        if grant.revokedAt != nil {
            self = .takenBack
        } else if grant.expiresAt <= now {
            self = .expired
        } else if let most = grant.maxUses, record.uses >= most {
            self = .usedUp
        } else if let principal = Principal(grant.grantor) {
            self =
                switch standing(Giver(principal, claims: grant.claims), grant.issuedAt) {
                case .stands: .inForce
                case .revoked: .giverRevoked
                case .blocked: .giverBlocked
                case .gone: .giverGone
                }
        } else {
            self = .giverGone
        }
    }
}

/// A grant as a list shows it.
struct ListedGrant: Sendable {
    let record: GrantRecord
    let state: GrantState

    init(_ record: GrantRecord, at now: Instant, _ standing: (Giver, Instant) -> GiverStanding) {
        self.record = record
        state = GrantState(of: record, at: now, standing)
    }

    /// The token of a link is known to nobody.
    var json: StrictJSON {
        let grant = record.grant
        let subject = if case .principal(let name) = grant.subject { name } else { "link" }
        let (key, prefix): ([UInt8]?, [UInt8]?) =
            switch grant.reach {
            case .key(let key): (key.bytes, nil)
            case .prefix(let prefix): (nil, prefix)
            }
        return .object(of: [
            ("id", .string(grant.id)),
            ("state", .string(state.rawValue)),
            ("subject", .string(subject)),
            ("bucket", .string(grant.bucket.string)),
            ("key", key.map { .string(String(decoding: $0, as: UTF8.self)) }),
            ("prefix", prefix.map { .string(String(decoding: $0, as: UTF8.self)) }),
            ("actions", .array(grant.actions.actions.map { .string($0.rawValue) })),
            ("grantor", .string(grant.grantor)),
            ("note", grant.note.isEmpty ? nil : .string(grant.note)),
            ("created_at", .instant(grant.issuedAt)),
            ("expires_at", .instant(grant.expiresAt)),
            ("revoked_at", grant.revokedAt.map { .instant($0) }),
            ("max_uses", grant.maxUses.map { .integer(Int64($0)) }),
            // Only what can be used up is counted.
            ("uses", grant.maxUses == nil ? nil : .integer(Int64(record.uses))),
            ("source_cidr", grant.source.map { .string($0.description) }),
        ])
    }
}
