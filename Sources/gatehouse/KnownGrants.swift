import Admission
import ControlPlane
import Logging
import SQLiteState
import Valet

/// What the state says that requests are decided by (what was given, and what was ended before its time), and what keeps
/// it up to date.
struct KnownGrants {
    let grants: GrantKeeper
    let revocations: RevocationKeeper
    let feeds: [StateFeed]

    init(_ state: SQLiteState, maxStaleness: Duration, logger: Logger) async throws(StartFailure) {
        let grants = GrantKeeper(state, maxStaleness: maxStaleness, clock: Clock.now)
        let revocations = RevocationKeeper(state, maxStaleness: maxStaleness, clock: Clock.now)
        do {
            try await grants.refresh()
            try await revocations.refresh()
        } catch {
            throw StartFailure("the state can't be used: \(error)")
        }
        (self.grants, self.revocations) = (grants, revocations)
        feeds = [
            StateFeed(
                of: .grants,
                maxStaleness: maxStaleness,
                logger: logger,
                refresh: { () async throws(StateError) in try await grants.refresh() },
                forget: { grants.forgetExpired() }
            ),
            StateFeed(
                of: .revocations,
                maxStaleness: maxStaleness,
                logger: logger,
                refresh: { () async throws(StateError) in try await revocations.refresh() },
                forget: {
                    let given = grants.book.current
                    revocations.forgetOld { given.count(givenBy: $0) > 0 }
                }
            ),
        ]
    }
}
