import Synchronization
import WireFormats

/// How often one address hears that a key is wrong: ten times in five minutes, then that it has to wait. A key that is right
/// is never refused, since behind a proxy everybody has one address. Bounded in memory.
final class AttemptLimit: Sendable {
    private struct Window {
        var endsAt: Instant
        var attempts: Int
    }

    private static let attempts = 10
    private static let length: Duration = .seconds(300)
    private static let maximumAddresses = 10_000
    private let windows = Mutex<[String: Window]>([:])

    /// Counts a wrong key of `address`; nil: it may hear so, else how long to wait.
    func take(_ address: String, now: Instant) -> Duration? {
        windows.withLock { windows in
            if windows.count >= Self.maximumAddresses, windows[address] == nil {
                windows = windows.filter { $0.value.endsAt > now }
                if windows.count >= Self.maximumAddresses,
                    let soonest = windows.min(by: { $0.value.endsAt < $1.value.endsAt })
                {
                    windows[soonest.key] = nil
                }
            }
            var window = windows[address] ?? Window(endsAt: now + Self.length, attempts: 0)
            if window.endsAt <= now { window = Window(endsAt: now + Self.length, attempts: 0) }
            guard window.attempts < Self.attempts else { return window.endsAt.duration(since: now) }
            window.attempts += 1
            windows[address] = window
            return nil
        }
    }
}
