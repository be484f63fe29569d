import NIOCore
import Synchronization

/// How many bytes of clients' bodies are held at a time, by all loops together: what is read whole before anything can be
/// decided by it takes its bytes from here as they come, and gives them back when its request ends, however it does.
///
/// Callers who are known have a share, and whoever is not has another, so that strangers leave no known caller unread; of
/// each, one caller takes half at most.
final class BodyBudget: Sendable {
    /// Bytes.
    static let known = 192 << 20
    static let strangers = 32 << 20

    private struct Share {
        let limit: Int
        var taken = 0
        var callers: [Breaker.Caller: Int] = [:]

        mutating func take(_ count: Int, for caller: Breaker.Caller) -> Bool {
            let own = callers[caller, default: 0]
            guard count <= limit - taken, count <= limit / 2 - own else { return false }
            taken += count
            callers[caller] = own + count
            return true
        }

        mutating func giveBack(_ count: Int, of caller: Breaker.Caller) {
            guard let own = callers[caller], own >= count else { preconditionFailure("more comes back than was taken") }
            taken -= count
            callers[caller] = own == count ? nil : own - count
        }
    }

    private struct Shares {
        var known: Share
        var strangers: Share

        subscript(_ caller: Breaker.Caller) -> Share {
            get {
                switch caller {
                case .principal: known
                case .address: strangers
                }
            }
            _modify {
                switch caller {
                case .principal: yield &known
                case .address: yield &strangers
                }
            }
        }
    }

    private let shares: Mutex<Shares>

    init(known: Int = BodyBudget.known, strangers: Int = BodyBudget.strangers) {
        shares = Mutex(Shares(known: Share(limit: known), strangers: Share(limit: strangers)))
    }

    /// - Returns: whether there was as much; else nothing is taken.
    func take(_ count: Int, for caller: Breaker.Caller) -> Bool {
        shares.withLock { $0[caller].take(count, for: caller) }
    }

    func giveBack(_ count: Int, of caller: Breaker.Caller) {
        guard count > 0 else { return }
        shares.withLock { $0[caller].giveBack(count, of: caller) }
    }

    /// What is held now.
    var taken: Int { shares.withLock { $0.known.taken + $0.strangers.taken } }
}

/// What one request holds of its body, and by when more of it has to come.
struct HeldBody {
    /// Bytes a second, from when the first was waited for: who sends less than that on the whole is not waited for.
    private static let leastRate: Int64 = 8 << 10

    /// Who was known when the body began to come.
    let caller: Breaker.Caller
    let since: NIODeadline
    private(set) var count = 0

    mutating func add(_ bytes: Int) { count += bytes }

    /// - Parameter idle: how long nothing may come.
    func deadline(at now: NIODeadline, idle: TimeAmount) -> NIODeadline {
        let earned = TimeAmount.nanoseconds(Int64(count) * 1_000_000_000 / Self.leastRate)
        return min(now, since + earned) + idle
    }
}
