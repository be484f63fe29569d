package import Identity
import Synchronization
import WireFormats

/// What became of the signatures that were asked for.
final class SignatureTally: Sendable {
    /// How often the same trouble is worth a line in the log.
    private static let pause = Duration.seconds(10)

    private struct Entry {
        var made = 0
        var failures = 0
        /// Why none could be had when one was asked for last; nil: it could.
        var problem: String?
        var saidAt: Instant?
    }

    private let entries = Mutex<[CredentialSource: Entry]>([:])

    func made(by source: CredentialSource) {
        entries.withLock { entries in
            entries[source, default: Entry()].made += 1
            entries[source]?.problem = nil
        }
    }

    /// Whether the log shall say it.
    func failed(by source: CredentialSource, _ problem: String, at now: Instant) -> Bool {
        entries.withLock { entries in
            var entry = entries[source] ?? Entry()
            let isNews = entry.problem != problem || entry.saidAt.map { now >= $0 + Self.pause } ?? true
            entry.failures += 1
            entry.problem = problem
            if isNews { entry.saidAt = now }
            entries[source] = entry
            return isNews
        }
    }

    /// Forgets whom the configuration does not name any more.
    func retain(_ sources: Set<CredentialSource>) {
        entries.withLock { entries in entries = entries.filter { sources.contains($0.key) } }
    }

    var conditions: [SignatureCondition] {
        entries.withLock(\.self).map { source, entry in
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
