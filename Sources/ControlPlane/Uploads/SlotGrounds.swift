import Admission
import Identity
import Pipeline
package import Valet
import WireFormats

/// Whether what slots were issued on holds still. A store takes what is sent to a URL that it signed, whatever was taken
/// back meanwhile; whether that becomes an object is decided here.
package struct SlotGrounds: Sendable {
    private let revocations: RevocationKeeper
    private let grants: any GrantStore

    package init(_ revocations: RevocationKeeper, _ grants: any GrantStore) {
        self.revocations = revocations
        self.grants = grants
    }

    /// Whether any of it was taken back. Looks at the state itself: what was written before is never overlooked, and where
    /// the state can't be asked there is no answer.
    func areGone(of slot: UploadSlot) async throws(StateError) -> Bool {
        try await revocations.refresh()
        let ended = revocations.book.current
        if let issuer = Principal(slot.issuer), ended.ends(everythingOf: issuer, issuedAt: slot.issuedAt) {
            return true
        }
        for ground in slot.grounds {
            switch ground.kind {
            case .session:
                if ended.ends(.session(ground.subject), issuedAt: ground.issuedAt) { return true }
            case .role:
                if ended.ends(.role(ground.subject), issuedAt: ground.issuedAt) { return true }
            case .user:
                if let principal = Principal(ground.subject),
                    ended.ends(.principal(principal), issuedAt: ground.issuedAt)
                {
                    return true
                }
            case .grant:
                // One that has expired meanwhile was good when the slot was issued, and the slot ends no later.
                guard let grant = try await grants.grant(ground.subject)?.grant, grant.revokedAt == nil else {
                    return true
                }
                if let giver = Principal(grant.grantor), ended.ends(.principal(giver), issuedAt: grant.issuedAt) {
                    return true
                }
            }
        }
        return false
    }
}

extension RevocationTable {
    /// Whether something of that principal, issued then, has been ended; what a role's session got, by its role too.
    fileprivate func ends(everythingOf principal: Principal, issuedAt: Instant) -> Bool {
        if case .role(let id, _) = principal, ends(.role(id), issuedAt: issuedAt) { return true }
        return ends(.principal(principal), issuedAt: issuedAt)
    }
}

extension Rights {
    /// What a slot rests on besides the caller's own name.
    ///
    /// - Parameter grants: ids of those that permit it.
    func grounds(_ grants: [String], at now: Instant) -> [UploadSlot.Ground] {
        foundations.map { foundation in
            switch foundation.subject {
            case .session(let id): UploadSlot.Ground(.session, id, issuedAt: foundation.issuedAt)
            case .role(let id): UploadSlot.Ground(.role, id, issuedAt: foundation.issuedAt)
            case .principal(let principal):
                UploadSlot.Ground(.user, principal.description, issuedAt: foundation.issuedAt)
            }
        } + grants.map { UploadSlot.Ground(.grant, $0, issuedAt: now) }
    }
}
