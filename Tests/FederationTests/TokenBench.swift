import Admission
import Federation
import Identity
import Logging
import Pipeline
import Synchronization
import Testing
import WireFormats

/// One verifier with a clock of the test's own and the issuer that is played.
final class TokenBench: Sendable {
    let issuer: PlayedIssuer
    let tokens: ProviderTokens
    private let clock: Clock

    private final class Clock: Sendable {
        let now = Mutex(noon)
    }

    init(_ issuer: PlayedIssuer = PlayedIssuer()) {
        let clock = Clock()
        self.issuer = issuer
        self.clock = clock
        tokens = ProviderTokens(
            source: issuer,
            clock: { clock.now.withLock { $0 } },
            logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
        )
    }

    var now: Instant { clock.now.withLock { $0 } }

    func pass(_ time: Duration) {
        clock.now.withLock { $0 = $0 + time }
    }

    func verify(_ token: BearerToken, under snapshot: Snapshot) async -> TokenFinding {
        await tokens.verify(token, under: snapshot, at: now)
    }

    func known(_ token: BearerToken, under snapshot: Snapshot) -> TokenFinding? {
        tokens.known(token, under: snapshot, at: now)
    }
}

func snapshot(_ providers: IdentityProvider..., generation: Int = 1) throws -> Snapshot {
    Snapshot(
        generation: generation,
        server: ServerSettings(region: "us-east-1", publicURL: "https://files.example.com", requiresAudit: false),
        accessKeys: try AccessKeyTable([]),
        keyScopes: [:],
        apiKeys: try APIKeyTable([]),
        admins: [],
        identityProviders: providers,
        policies: PolicySet(),
        limits: .unlimited,
        ownLimits: [:],
        openAccount: nil,
        buckets: []
    )
}

func provider(
    _ name: String = "auth",
    issuer: String = PlayedIssuer.issuer,
    keys: IdentityProvider.Keys? = nil
) throws -> IdentityProvider {
    IdentityProvider(
        name: name,
        issuer: issuer,
        audiences: ["gatehouse"],
        uses: [.bearer],
        keys: try keys ?? .url(#require(ServiceURL(PlayedIssuer.jwks)))
    )
}

extension TokenFinding {
    /// The subject, or the label of what stands against it.
    var summary: String {
        switch self {
        case .verified(let identity): identity.subject
        case .refused(_, let failure): failure.description
        case .unavailable: "unavailable"
        }
    }
}
