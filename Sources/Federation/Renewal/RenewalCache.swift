package import WireFormats

/// When credentials of stores are obtained, renewed and given up: the whole of it as a value, without clocks, network,
/// tasks or chance. Events go in with their time, effects come out, and whoever holds it carries them out.
///
/// One exchange at a time for each source, whether anything is there already or not. A credential is renewed well ahead
/// of its end, beside the requests that it serves; a renewal that fails or hangs costs them nothing while it lasts. What
/// is about to end is not given out any more.
package struct RenewalCache<Source: Hashable & Sendable, Credential: Sendable>: Sendable {
    /// A credential in force.
    package struct Held: Sendable {
        package let credential: Credential
        /// Counts up with every credential that was obtained, whichever the source.
        package let version: Int
        package let obtainedAt: Instant
        package let expiresAt: Instant
        /// When nothing is signed with it any more: what was signed a moment before has to arrive, at a clock of its own.
        package let usableUntil: Instant
    }

    /// What is known to whoever needs a credential.
    package enum Answer: Sendable {
        case ready(Held)
        /// The reason is for the log.
        case unavailable(reason: String, retryAfter: Duration)
    }

    package enum Need: Sendable {
        case known(Answer)
        /// The answer comes as an effect.
        case wait
    }

    package enum Effect: Sendable {
        /// Ask for a credential, and say what became of it under this number.
        case exchange(Source, attempt: Int)
        /// Another credential is in force.
        case changed(Source)
        /// It could not be had, for the log.
        case failed(Source, reason: String)
        case answer([Int], Answer)
    }

    private struct Entry {
        var held: Held?
        var attempt: (number: Int, startedAt: Instant)?
        var waiters: [Int] = []
        /// In a row.
        var failures = 0
        /// Before this, nothing is asked.
        var nextAttempt: Instant
        var problem: String?
        /// Whether the configuration in force names it.
        var isWanted: Bool
        var renewals = 0
        var failuresInAll = 0
    }

    private let rules: RenewalRules
    private var entries: [Source: Entry] = [:]
    private var attempts = 0
    private var versions = 0
    private var underWay = 0

    package init(_ rules: RenewalRules = RenewalRules()) {
        self.rules = rules
    }

    // MARK: - Events

    /// The configuration in force names these sources, and no others: those that are new are asked for at once.
    package mutating func retain(_ sources: Set<Source>, at now: Instant, jitter: Double) -> [Effect] {
        var effects: [Effect] = []
        for source in entries.keys where !sources.contains(source) { entries[source]?.isWanted = false }
        for source in sources {
            if entries[source] == nil { entries[source] = Entry(nextAttempt: now, isWanted: true) }
            entries[source]?.isWanted = true
        }
        effects += tick(at: now, jitter: jitter)
        return effects
    }

    /// A request needs a credential.
    /// - Parameter waiter: names it in the answer, where there is none at once.
    package mutating func need(_ source: Source, waiter: Int, at now: Instant, jitter: Double) -> (Need, [Effect]) {
        var effects = giveUpOverdue(source, at: now, jitter: jitter)
        var entry = entries[source] ?? Entry(nextAttempt: now, isWanted: false)
        if let held = entry.held, now < held.usableUntil {
            if entry.attempt == nil, now >= entry.nextAttempt { effects.append(begin(source, &entry, at: now)) }
            entries[source] = entry
            return (.known(.ready(held)), effects)
        }
        if entry.attempt == nil {
            guard now >= entry.nextAttempt || entry.failures == 0 else {
                return (.known(unavailable(entry, at: now)), effects)
            }
            effects.append(begin(source, &entry, at: now))
        }
        guard entry.waiters.count < rules.longestQueue else {
            entries[source] = entry
            return (
                .known(.unavailable(reason: "too many requests wait for a credential", retryAfter: .seconds(1))),
                effects
            )
        }
        entry.waiters.append(waiter)
        entries[source] = entry
        return (.wait, effects)
    }

    /// Whoever waited has left.
    package mutating func forget(_ waiter: Int, of source: Source) {
        entries[source]?.waiters.removeAll { $0 == waiter }
    }

    package mutating func succeeded(
        _ source: Source,
        attempt: Int,
        _ credential: Credential,
        expiresAt: Instant,
        at now: Instant,
        jitter: Double
    ) -> [Effect] {
        guard var entry = entries[source], entry.attempt?.number == attempt else { return [] }
        let lifetime = expiresAt.duration(since: now)
        guard lifetime > .zero else {
            return failed(
                source,
                attempt: attempt,
                reason: "the credential that came has ended already: are the clocks right?",
                at: now,
                jitter: jitter
            )
        }
        versions += 1
        let held = Held(
            credential: credential,
            version: versions,
            obtainedAt: now,
            expiresAt: expiresAt,
            usableUntil: expiresAt - min(rules.margin, lifetime / 10)
        )
        underWay -= 1
        entry.held = held
        entry.attempt = nil
        entry.failures = 0
        entry.problem = nil
        entry.renewals += 1
        entry.nextAttempt = expiresAt - rules.lead(of: lifetime, jitter: jitter)
        let waiters = entry.waiters
        entry.waiters = []
        entries[source] = entry
        return [.changed(source)] + (waiters.isEmpty ? [] : [.answer(waiters, .ready(held))])
    }

    package mutating func failed(
        _ source: Source,
        attempt: Int,
        reason: String,
        at now: Instant,
        jitter: Double
    ) -> [Effect] {
        guard var entry = entries[source], entry.attempt?.number == attempt else { return [] }
        underWay -= 1
        entry.attempt = nil
        entry.failures += 1
        entry.failuresInAll += 1
        entry.problem = reason
        entry.nextAttempt = now + rules.pause(after: entry.failures, jitter: jitter)
        let waiters = entry.waiters
        entry.waiters = []
        entries[source] = entry
        return [.failed(source, reason: reason)]
            + (waiters.isEmpty ? [] : [.answer(waiters, unavailable(entry, at: now))])
    }

    /// A store refused what was signed with a credential: another one is asked for, unless that was done already, or the
    /// one refused is so new that another would be no better.
    package mutating func refused(_ source: Source, version: Int, at now: Instant) -> [Effect] {
        guard var entry = entries[source], let held = entry.held, held.version == version, entry.attempt == nil,
            now >= held.obtainedAt + rules.pauseAfterRefusal, entry.failures == 0 || now >= entry.nextAttempt
        else { return [] }
        let effect = begin(source, &entry, at: now)
        entries[source] = entry
        return [effect]
    }

    /// Time has passed.
    package mutating func tick(at now: Instant, jitter: Double) -> [Effect] {
        var effects: [Effect] = []
        for source in Array(entries.keys) {
            effects += giveUpOverdue(source, at: now, jitter: jitter)
            guard var entry = entries[source] else { continue }
            if let held = entry.held, now >= held.expiresAt { entry.held = nil }
            if entry.isWanted, entry.attempt == nil, now >= entry.nextAttempt, underWay < rules.longestBackground {
                effects.append(begin(source, &entry, at: now))
            }
            let isOver = !entry.isWanted && entry.held == nil && entry.attempt == nil
            entries[source] = isOver ? nil : entry
        }
        return effects
    }

    // MARK: - What is there

    /// What is in force now, usable or not.
    package func held(_ source: Source) -> Held? { entries[source]?.held }

    package var held: [Source: Held] { entries.compactMapValues(\.held) }

    package struct Condition: Sendable {
        package let source: Source
        package let expiresAt: Instant?
        /// Why it could not be had when it was tried last; nil: it could.
        package let problem: String?
        package let renewals: Int
        package let failures: Int
    }

    /// How the sources do that the configuration names.
    package var conditions: [Condition] {
        entries.filter(\.value.isWanted).map { source, entry in
            Condition(
                source: source,
                expiresAt: entry.held?.expiresAt,
                problem: entry.problem,
                renewals: entry.renewals,
                failures: entry.failuresInAll
            )
        }
    }

    // MARK: - Steps

    private mutating func begin(_ source: Source, _ entry: inout Entry, at now: Instant) -> Effect {
        attempts += 1
        underWay += 1
        entry.attempt = (attempts, now)
        return .exchange(source, attempt: attempts)
    }

    /// An exchange that hangs is over, whatever still comes of it.
    private mutating func giveUpOverdue(_ source: Source, at now: Instant, jitter: Double) -> [Effect] {
        guard let attempt = entries[source]?.attempt, now >= attempt.startedAt + rules.patience else { return [] }
        let reason = "no answer within \(rules.patience)"
        return failed(source, attempt: attempt.number, reason: reason, at: now, jitter: jitter)
    }

    private func unavailable(_ entry: Entry, at now: Instant) -> Answer {
        if let held = entry.held, now < held.usableUntil { return .ready(held) }
        let pause = max(entry.nextAttempt.duration(since: now), .seconds(1))
        return .unavailable(reason: entry.problem ?? "no credential", retryAfter: pause)
    }
}

/// The times and bounds that a ``RenewalCache`` keeps to.
package struct RenewalRules: Sendable {
    /// How long an exchange may take, all its steps together.
    package var patience = Duration.seconds(15)
    /// The longest time before its end that a credential is not used any more; a tenth of its life where that is less.
    package var margin = Duration.seconds(60)
    package var firstPause = Duration.seconds(1)
    package var longestPause = Duration.seconds(60)
    /// How old a credential must be for a store's refusal to have another one asked for.
    package var pauseAfterRefusal = Duration.seconds(10)
    /// Requests that wait for one credential.
    package var longestQueue = 10_000
    /// Exchanges at a time that no request waits for.
    package var longestBackground = 16

    package init() {}

    /// How long before its end a credential is renewed: a quarter of its life and up to a tenth more, so that what was
    /// obtained together isn't renewed together.
    func lead(of lifetime: Duration, jitter: Double) -> Duration {
        lifetime * (0.25 + 0.1 * jitter)
    }

    /// Twice as long after each failure, the half of it by chance.
    func pause(after failures: Int, jitter: Double) -> Duration {
        let pause = firstPause * (1 << min(failures - 1, 20))
        return min(pause, longestPause) * (0.5 + 0.5 * jitter)
    }
}
