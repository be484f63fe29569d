package import Identity
import Synchronization
import WireFormats

/// What became of the signatures that were asked for, and how many are being asked for at the moment.
final class SignatureTally: Sendable {
    private static let longest = 64
    /// How often the same trouble is worth a line in the log.
    private static let pause = Duration.seconds(10)

    private struct Entry {
        var made = 0
        var failures = 0
        /// Why none could be had when one was asked for last; nil: it could.
        var problem: String?
        var saidAt: Instant?
    }

    private struct State {
        var underWay = 0
        var entries: [CredentialSource: Entry] = [:]
    }

    private let state = Mutex(State())

    /// False where there are too many.
    func enter() -> Bool {
        state.withLock { state in
            guard state.underWay < Self.longest else { return false }
            state.underWay += 1
            return true
        }
    }

    func leave() { state.withLock { $0.underWay -= 1 } }

    func made(by source: CredentialSource) {
        state.withLock { state in
            state.entries[source, default: Entry()].made += 1
            state.entries[source]?.problem = nil
        }
    }

    /// Whether the log shall say it.
    func failed(by source: CredentialSource, _ problem: String, at now: Instant) -> Bool {
        state.withLock { state in
            var entry = state.entries[source] ?? Entry()
            let isNews = entry.problem != problem || entry.saidAt.map { now >= $0 + Self.pause } ?? true
            entry.failures += 1
            entry.problem = problem
            if isNews { entry.saidAt = now }
            state.entries[source] = entry
            return isNews
        }
    }

    /// Forgets whom the configuration does not name any more.
    func retain(_ sources: Set<CredentialSource>) {
        state.withLock { state in state.entries = state.entries.filter { sources.contains($0.key) } }
    }

    var conditions: [SignatureCondition] {
        state.withLock(\.entries).map { source, entry in
            SignatureCondition(source: source, problem: entry.problem, made: entry.made, failures: entry.failures)
        }
    }
}

/// How somebody does who signs URLs.
package struct SignatureCondition: Sendable {
    package let source: CredentialSource
    /// Why it did not when it was asked last; nil: it did.
    package let problem: String?
    package let made: Int
    package let failures: Int
}
