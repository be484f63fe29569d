package import Identity
package import Logging
package import Pipeline
import Synchronization
import WireFormats

/// The credentials of stores that are obtained: the shell around ``RenewalCache``, which decides everything. It asks the
/// clock and chance, runs exchanges, has what came of them put in force, and lets those go on who waited for it.
package final class StoreCredentials: CredentialOffice {
    package typealias Cache = RenewalCache<CredentialSource, StoreCredential>

    private struct State {
        var cache: Cache
        var waiting: [Int: CheckedContinuation<Cache.Answer, Never>] = [:]
        /// Exchanges and publications under way; each ends by itself.
        var tasks: [Int: Task<Void, Never>] = [:]
        var lastNumber = 0
        /// Counts the credentials that came.
        var version = 0
        var publish: (@Sendable () async -> Snapshot)?
        /// Who signs tokens of ours, as configured now.
        var provider: OIDCProvider?

        mutating func number() -> Int {
            lastNumber += 1
            return lastNumber
        }
    }

    /// How often it is looked what is to be renewed.
    private static let tick = Duration.seconds(1)

    private let transport: any ExchangeTransport
    private let surroundings: Surroundings
    private let logger: Logger
    private let state: Mutex<State>
    private let signatures = SignatureTally()
    private let turns: SignatureTurns

    package init(
        _ transport: any ExchangeTransport,
        surroundings: Surroundings,
        rules: RenewalRules = RenewalRules(),
        signing: SignatureRules = SignatureRules(),
        logger: Logger
    ) {
        self.transport = transport
        self.surroundings = surroundings
        self.logger = logger
        state = Mutex(State(cache: Cache(rules)))
        turns = SignatureTurns(signing)
    }

    /// Who makes a snapshot of the credentials that are in force, and publishes it.
    package func publish(by publish: @escaping @Sendable () async -> Snapshot) {
        state.withLock { $0.publish = publish }
    }

    /// Counts up with every credential that comes: what was compiled under a smaller number is older.
    package var version: Int { state.withLock(\.version) }

    /// What is in force, all as of one moment.
    package var held: [CredentialSource: Cache.Held] { state.withLock(\.cache.held) }

    package var conditions: [Cache.Condition] { state.withLock { $0.cache.conditions } }

    /// Takes the sources that the snapshot in force names, and obtains what is new among them.
    package func adopt(_ snapshot: Snapshot) {
        state.withLock { $0.provider = snapshot.provider }
        let sources = Set(snapshot.credentialSources.keys)
        signatures.retain(sources)
        act { cache, now, jitter in ((), cache.retain(sources, at: now, jitter: jitter)) }
    }

    /// Renews ahead of time, until it is cancelled.
    package func keepFresh() async {
        while !Task.isCancelled {
            act { cache, now, jitter in ((), cache.tick(at: now, jitter: jitter)) }
            try? await Task.sleep(for: Self.tick)
        }
        for task in state.withLock({ $0.tasks.values.map(\.self) }) { task.cancel() }
    }

    // MARK: - For requests

    package func obtain(_ source: CredentialSource) async -> CredentialFinding {
        switch await answer(source) {
        case .ready:
            guard let publish = state.withLock(\.publish) else {
                return .unavailable(reason: "nothing is in force yet", retryAfter: .seconds(1))
            }
            return .obtained(await publish())
        case .unavailable(let reason, let retryAfter): return .unavailable(reason: reason, retryAfter: retryAfter)
        }
    }

    package func refused(_ source: CredentialSource, version: Int) {
        act { cache, now, _ in ((), cache.refused(source, version: version, at: now)) }
    }

    /// What is in force, once something is.
    private func answer(_ source: CredentialSource) async -> Cache.Answer {
        let waiter = state.withLock { $0.number() }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { wait(source, as: waiter, $0) }
        } onCancel: {
            leave(source, waiter)
        }
    }

    private static let left = Cache.Answer.unavailable(reason: "nobody waits any more", retryAfter: .seconds(1))

    private func wait(
        _ source: CredentialSource,
        as waiter: Int,
        _ continuation: CheckedContinuation<Cache.Answer, Never>
    ) {
        // Before it is asked for: whoever leaves from now on is found.
        state.withLock { $0.waiting[waiter] = continuation }
        if Task.isCancelled { return leave(source, waiter) }
        let need = act { cache, now, jitter in cache.need(source, waiter: waiter, at: now, jitter: jitter) }
        if case .known(let answer) = need { resume([waiter], answer) }
    }

    private func leave(_ source: CredentialSource, _ waiter: Int) {
        state.withLock { $0.cache.forget(waiter, of: source) }
        resume([waiter], Self.left)
    }

    private func resume(_ waiters: [Int], _ answer: Cache.Answer) {
        let continuations = state.withLock { state in waiters.compactMap { state.waiting.removeValue(forKey: $0) } }
        for continuation in continuations { continuation.resume(returning: answer) }
    }

    private func bearer(
        of source: CredentialSource
    ) async throws(ExchangeFailure) -> (token: Secret<String>, version: Int) {
        switch await answer(source) {
        case .ready(let held):
            guard case .bearer(let token) = held.credential else { throw ExchangeFailure("there is no access token") }
            return (token, held.version)
        case .unavailable(let reason, _): throw ExchangeFailure(reason)
        }
    }

    // MARK: - Signatures

    /// How those do that were asked for signatures.
    package var signatureConditions: [SignatureCondition] { signatures.conditions }

    /// A signature that is made elsewhere, asked for under the token of `source`.
    func signature(of text: [UInt8], by signing: BlobSigning, with source: CredentialSource) async -> SignatureFinding {
        do throws(ExchangeFailure) {
            let signature = try await asked(text, signing, source)
            signatures.made(by: source)
            return .made(signature)
        } catch {
            if signatures.failed(by: source, error.description, at: surroundings.now()) {
                logger.warning(
                    "a URL could not be signed",
                    metadata: ["source": "\(source.label)", "reason": "\(error)"]
                )
            }
            return .unavailable(reason: error.description)
        }
    }

    private func asked(
        _ text: [UInt8],
        _ signing: BlobSigning,
        _ source: CredentialSource
    ) async throws(ExchangeFailure) -> [UInt8] {
        try await turns.take()
        defer { turns.giveBack() }
        let (token, version) = try await bearer(of: source)
        let answer = try await transport.send(signing.request(for: text, with: token))
        if answer.status == 401 { refused(source, version: version) }
        return try signing.signature(answer)
    }

    // MARK: - Effects

    /// Lets the cache decide, and carries out what it wants once the lock is free.
    @discardableResult
    private func act<Result: Sendable>(
        _ decide: (inout Cache, _ now: Instant, _ jitter: Double) -> (Result, [Cache.Effect])
    ) -> Result {
        let now = surroundings.now()
        let jitter = Double.random(in: 0..<1)
        let (result, effects) = state.withLock { state in decide(&state.cache, now, jitter) }
        for effect in effects {
            switch effect {
            case .exchange(let source, let attempt): run { await self.exchange(source, attempt) }
            case .changed(let source): changed(source)
            case .failed(let source, let reason):
                logger.warning(
                    "a store's credential could not be obtained",
                    metadata: ["source": "\(source.label)", "reason": "\(reason)"]
                )
            case .answer(let waiters, let answer): resume(waiters, answer)
            }
        }
        return result
    }

    private func exchange(_ source: CredentialSource, _ attempt: Int) async {
        let result: Result<TimedCredential, ExchangeFailure>
        let exchange = CredentialExchange(
            transport,
            as: state.withLock(\.provider),
            surroundings: surroundings,
            bearer: { (source) async throws(ExchangeFailure) in try await self.bearer(of: source) },
            refused: { source, version in self.refused(source, version: version) }
        )
        do throws(ExchangeFailure) {
            result = .success(try await exchange.credential(of: source))
        } catch {
            result = .failure(error)
        }
        act { cache, now, jitter in
            let effects =
                switch result {
                case .success(let timed):
                    cache.succeeded(
                        source,
                        attempt: attempt,
                        timed.credential,
                        expiresAt: timed.expiresAt,
                        at: now,
                        jitter: jitter
                    )
                case .failure(let failure):
                    cache.failed(source, attempt: attempt, reason: failure.description, at: now, jitter: jitter)
                }
            return ((), effects)
        }
    }

    private func changed(_ source: CredentialSource) {
        let publish = state.withLock { state in
            state.version += 1
            return state.publish
        }
        logger.info("a store's credential was obtained", metadata: ["source": "\(source.label)"])
        if let publish { run { _ = await publish() } }
    }

    /// A task of this object's own, which ends by itself: exchanges have an end, and so has compiling.
    private func run(_ work: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            let number = state.number()
            state.tasks[number] = Task {
                await work()
                self.state.withLock { $0.tasks[number] = nil }
            }
        }
    }
}
