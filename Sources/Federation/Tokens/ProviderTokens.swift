package import Identity
package import Logging
package import Pipeline
import Synchronization
package import WireFormats

/// Verifies the tokens of `[[identity_providers]]`: by keys from where the configuration says, and by nothing that a
/// token says of itself.
package final class ProviderTokens: TokenVerifier {
    /// The keys of one provider.
    private enum Keys: Sendable {
        case fixed(KeyRing)
        case issuer(IssuerKeys)
    }

    private struct State {
        /// By provider, of the snapshots that requests may still be decided under.
        var generations: [(number: Int, keys: [String: Keys])] = []
        /// Kept over reloads, so that a changed file makes nobody wait for keys that are here.
        var issuers: [IssuerDirectory.Place: IssuerKeys] = [:]
    }

    /// How often it is seen to whose keys have to be renewed.
    private static let watch = Duration.seconds(5)
    private static let generationsKept = 3

    private let source: any DocumentSource
    private let clock: @Sendable () -> Instant
    private let logger: Logger
    private let memory = TokenMemory()
    private let state = Mutex(State())

    package init(source: any DocumentSource, clock: @escaping @Sendable () -> Instant, logger: Logger) {
        self.source = source
        self.clock = clock
        self.logger = logger
    }

    package func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? {
        if snapshot.identityProviders.isEmpty { return .refused(.unknownIssuer) }
        return memory.finding(TokenMemory.Key(token, under: snapshot), at: now)
    }

    package func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
        let key = TokenMemory.Key(token, under: snapshot)
        do throws(TokenRefusal) {
            let signed = try SignedToken(parsing: token)
            let provider = try snapshot.identityProviders.provider(of: signed.claims, for: .bearer)
            guard provider.accepts(signed.algorithm) else { throw .algorithm }
            let identity = try signed.claims.identity(for: provider, at: now)
            switch await keys(of: provider, under: snapshot) {
            case .fixed(let ring):
                guard case .verified = ring.match(signed) else { throw .signature }
                memory.remember(identity, by: nil, epoch: 0, as: key)
            case .issuer(let issuer):
                let epoch = issuer.epoch
                switch await issuer.check(signed) {
                case .verified: memory.remember(identity, by: issuer, epoch: epoch, as: key)
                case .forged: throw .signature
                // Not remembered: the key may be there in a moment.
                case .unknownKey: return .refused(.unknownKey)
                case .unavailable(let problem):
                    return .unavailable(reason: "the keys of \(provider.name): \(problem)")
                }
            }
            return .verified(identity)
        } catch {
            memory.remember(error, as: key, at: now)
            return .refused(error)
        }
    }

    // MARK: - Keys

    private func keys(of provider: IdentityProvider, under snapshot: Snapshot) async -> Keys {
        let known = state.withLock { state in
            state.generations.first { $0.number == snapshot.generation }?.keys[provider.name]
        }
        if let known { return known }
        // A request of a snapshot that was forgotten meanwhile.
        return await make(provider.keys)
    }

    /// Makes a snapshot's keys ready, asks its issuers for theirs, and forgets those that no snapshot names any more. To
    /// be called before requests are decided under it.
    package func adopt(_ snapshot: Snapshot) async {
        var keys: [String: Keys] = [:]
        for provider in snapshot.identityProviders { keys[provider.name] = await make(provider.keys) }
        state.withLock { state in
            state.generations.append((snapshot.generation, keys))
            state.generations = state.generations.suffix(Self.generationsKept)
            let used = state.generations.flatMap(\.keys.values).compactMap { keys -> ObjectIdentifier? in
                if case .issuer(let issuer) = keys { ObjectIdentifier(issuer) } else { nil }
            }
            state.issuers = state.issuers.filter { used.contains(ObjectIdentifier($0.value)) }
        }
        refresh()
    }

    private func make(_ keys: IdentityProvider.Keys) async -> Keys {
        switch keys {
        case .secret(let secret): .fixed(await KeyRing(secret: secret))
        case .set(let set): .fixed(await KeyRing(set))
        case .url(let url): .issuer(issuer(.url(url)))
        case .discovery(let url): .issuer(issuer(.discovery(url)))
        }
    }

    /// Renews keys ahead of the tokens that need them, until it is cancelled.
    package func keepFresh() async {
        while !Task.isCancelled {
            refresh()
            try? await Task.sleep(for: Self.watch)
        }
    }

    private func refresh() {
        for issuer in state.withLock({ Array($0.issuers.values) }) { issuer.refreshIfDue() }
    }

    /// How the providers of the newest snapshot do, by name.
    package var conditions: [Condition] {
        let keys = state.withLock { $0.generations.last?.keys ?? [:] }
        return keys.sorted { $0.key < $1.key }.map { name, keys in
            switch keys {
            case .fixed(let ring): return Condition(provider: name, keys: ring.count, problem: nil)
            case .issuer(let issuer):
                let (count, problem) = issuer.condition
                return Condition(provider: name, keys: count, problem: problem)
            }
        }
    }

    /// Whether a provider's tokens can be verified.
    package struct Condition: Sendable, Equatable {
        package let provider: String
        /// How many keys are at hand.
        package let keys: Int
        /// Why they could not be renewed when that was tried last.
        package let problem: String?
    }

    private func issuer(_ place: IssuerDirectory.Place) -> IssuerKeys {
        state.withLock { state in
            if let issuer = state.issuers[place] { return issuer }
            let issuer = IssuerKeys(IssuerDirectory(place: place, source: source), clock: clock, logger: logger)
            state.issuers[place] = issuer
            return issuer
        }
    }
}
