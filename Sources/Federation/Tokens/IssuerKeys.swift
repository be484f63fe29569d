import Identity
import Logging
import Synchronization
import WireFormats

/// The keys of one issuer, kept up to date. One question at a time, whoever waits for it; those whose key is known never
/// do.
final class IssuerKeys: Sendable {
    private struct State {
        var ring: KeyRing?
        var refresh = KeyRefresh()
        var question: Task<Void, Never>?
        var lastError: String?
    }

    /// What became of a token.
    enum Answer: Sendable {
        case verified
        case forged
        case unknownKey
        case unavailable(String)
    }

    private let directory: IssuerDirectory
    private let clock: @Sendable () -> Instant
    private let logger: Logger
    private let state = Mutex(State())
    /// Counts the times that a key was taken back: what was verified before has to be verified again.
    private let withdrawals = Atomic<Int>(0)

    init(_ directory: IssuerDirectory, clock: @escaping @Sendable () -> Instant, logger: Logger) {
        self.directory = directory
        self.clock = clock
        self.logger = logger
    }

    var epoch: Int { withdrawals.load(ordering: .acquiring) }

    func check(_ token: SignedToken) async -> Answer {
        // Once more where another's question was under way already, whose answer may be older than the key.
        for attempt in 1...3 {
            let ring = state.withLock(\.ring)
            let match = ring?.match(token) ?? .noKey
            let (step, question) = next(isKnown: match != .noKey)
            switch step {
            case .use, .useAndAsk: return match == .verified ? .verified : .forged
            case .refuse: return .unknownKey
            case .unavailable: return .unavailable(state.withLock(\.lastError) ?? "no keys")
            case .ask: if attempt < 3 { await question?.value }
            }
        }
        return .unavailable("the keys change faster than they can be read")
    }

    /// Asks where it is time to, and doesn't wait for it.
    func refreshIfDue() {
        state.withLock { state in
            if state.question == nil, state.refresh.isDue(at: clock()) { _ = ask(&state) }
        }
    }

    /// The keys that can be used, and what went wrong when they were asked for last.
    var condition: (keys: Int, problem: String?) {
        state.withLock { ($0.ring?.count ?? 0, $0.lastError) }
    }

    // MARK: - Asking

    private func next(isKnown: Bool) -> (KeyRefresh.Step, Task<Void, Never>?) {
        state.withLock { state in
            if let question = state.question, !(isKnown && state.refresh.isUsable) { return (.ask, question) }
            let step = state.refresh.step(isKnown: isKnown, at: clock())
            switch step {
            case .ask, .useAndAsk: return (step, state.question ?? ask(&state))
            case .use, .refuse, .unavailable: return (step, nil)
            }
        }
    }

    /// Owned by the state, ends by itself: documents come within seconds or not at all.
    private func ask(_ state: inout State) -> Task<Void, Never> {
        let question = Task { await self.renew() }
        state.question = question
        return question
    }

    private func renew() async {
        do {
            let keys = try await directory.keys()
            let ring = await KeyRing(keys.set)
            guard ring.count > 0 else { throw DocumentFailure("none of the issuer's keys can be used") }
            state.withLock { state in
                if let old = state.ring, !ring.hasAll(of: old) { withdrawals.add(1, ordering: .releasing) }
                state.ring = ring
                state.refresh.loaded(freshFor: keys.freshFor, at: clock())
                state.question = nil
                state.lastError = nil
            }
        } catch {
            let failure = "\(error)"
            logger.warning("an issuer's keys can't be renewed", metadata: ["problem": "\(failure)"])
            state.withLock { state in
                state.refresh.failed(at: clock())
                state.question = nil
                state.lastError = failure
            }
        }
    }
}
