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
        case fixed(ConfiguredKeys)
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
            switch try await check(token, for: .bearer, under: snapshot, at: now) {
            case .verified(let identity, let issuer, let epoch):
                memory.remember(identity, by: issuer, epoch: epoch, as: key)
                return .verified(identity)
            // Not remembered: the key may be there in a moment.
            case .unknownKey: return .refused(.unknownKey)
            case .unavailable(let reason): return .unavailable(reason: reason)
            }
        } catch {
            memory.remember(error, as: key, at: now)
            return .refused(error)
        }
    }

    /// Not remembered: what comes of it is a session, which is.
    package func verify(
        forSession token: BearerToken,
        under snapshot: Snapshot,
        at now: Instant
    ) async -> TokenFinding {
        do throws(TokenRefusal) {
            switch try await check(token, for: .sts, under: snapshot, at: now) {
            case .verified(let identity, _, _): return .verified(identity)
            case .unknownKey: return .refused(.unknownKey)
            case .unavailable(let reason): return .unavailable(reason: reason)
            }
        } catch {
            return .refused(error)
        }
    }

    private enum Checked {
        /// By keys of that issuer, as they were at that epoch; nil: by the configuration's own.
        case verified(TokenIdentity, IssuerKeys?, epoch: Int)
        case unknownKey
        case unavailable(reason: String)
    }

    private func check(
        _ token: BearerToken,
        for use: IdentityProvider.Use,
        under snapshot: Snapshot,
        at now: Instant
    ) async throws(TokenRefusal) -> Checked {
        let signed = try SignedToken(parsing: token)
        let provider = try snapshot.identityProviders.provider(of: signed.claims, for: use)
        guard provider.accepts(signed.algorithm) else { throw .algorithm }
        let identity = try signed.claims.identity(for: provider, at: now)
        switch keys(of: provider, under: snapshot) {
        case .fixed(let configured):
            guard case .verified = await configured.ring.match(signed) else { throw .signature }
            return .verified(identity, nil, epoch: 0)
        case .issuer(let issuer):
            let epoch = issuer.epoch
            switch await issuer.check(signed) {
            case .verified: return .verified(identity, issuer, epoch: epoch)
            case .forged: throw .signature
            case .unknownKey: return .unknownKey
            case .unavailable(let problem):
                return .unavailable(reason: "the keys of \(provider.name): \(problem)")
            }
        }
    }

    // MARK: - Keys

    private func keys(of provider: IdentityProvider, under snapshot: Snapshot) -> Keys {
        let known = state.withLock { state in
            state.generations.first { $0.number == snapshot.generation }?.keys
        }
        return (known ?? adopted(snapshot))[provider.name] ?? make(provider.keys)
    }

    /// Takes a snapshot's providers: asks issuers that are new for their keys, and forgets those that no snapshot names
    /// any more.
    package func adopt(_ snapshot: Snapshot) {
        _ = adopted(snapshot)
    }

    private func adopted(_ snapshot: Snapshot) -> [String: Keys] {
        let keys = Dictionary(
            snapshot.identityProviders.map { ($0.name, make($0.keys)) },
            uniquingKeysWith: { first, _ in first }
        )
        state.withLock { state in
            state.generations.removeAll { $0.number == snapshot.generation }
            state.generations.append((snapshot.generation, keys))
            state.generations.sort { $0.number < $1.number }
            state.generations = state.generations.suffix(Self.generationsKept)
            let used = state.generations.flatMap(\.keys.values).compactMap { keys -> ObjectIdentifier? in
                if case .issuer(let issuer) = keys { ObjectIdentifier(issuer) } else { nil }
            }
            state.issuers = state.issuers.filter { used.contains(ObjectIdentifier($0.value)) }
        }
        refresh()
        return keys
    }

    private func make(_ keys: IdentityProvider.Keys) -> Keys {
        switch keys {
        case .secret(let secret): .fixed(ConfiguredKeys(.secret(secret)))
        case .set(let set): .fixed(ConfiguredKeys(.set(set)))
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
            case .fixed(let configured): return Condition(provider: name, keys: configured.count, problem: nil)
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

/// Keys that the configuration itself holds, made ready when the first token comes.
final class ConfiguredKeys: Sendable {
    enum Source: Sendable {
        case secret(Secret<[UInt8]>)
        case set(JSONWebKeySet)
    }

    private let source: Source
    private let made = Mutex<KeyRing?>(nil)

    init(_ source: Source) {
        self.source = source
    }

    var count: Int {
        switch source {
        case .secret: 1
        case .set(let set): set.keys.count
        }
    }

    var ring: KeyRing {
        get async {
            if let ring = made.withLock({ $0 }) { return ring }
            let ring =
                switch source {
                case .secret(let secret): await KeyRing(secret: secret)
                case .set(let set): await KeyRing(set)
                }
            made.withLock { $0 = ring }
            return ring
        }
    }
}
