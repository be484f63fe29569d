import Identity
import NIOCore
import WireFormats

/// Leaves a store alone that does not answer: after some exchanges in a row without an answer it opens, and lets one try
/// through in each pause until an answer comes. Where all that had no answer were one caller's, it opens for that caller
/// only: what that one asks may be slow, and the store there for others. The value of one pool; it is told the time.
struct Breaker {
    /// Whose exchanges count together: whoever is known by name, or a network of which nobody is. What callers choose
    /// themselves makes nobody another: neither the name of a role's session, nor an address within a /64.
    enum Caller: Hashable {
        case principal(Principal)
        /// As text.
        case address([UInt8])

        init(_ principal: Principal?, from address: [UInt8]) {
            switch principal {
            case .role(let id, session: _): self = .principal(.role(id: id, session: ""))
            case .some(let principal) where principal != .anonymous: self = .principal(principal)
            default:
                let network = IPAddress(String(decoding: address, as: UTF8.self))?.rateLimitKey
                self = .address(network.map { Array($0.description.utf8) } ?? address)
            }
        }
    }

    /// Whose exchanges had no answer since the last that had one.
    private enum Blame: Equatable {
        case nobody
        case one(Caller)
        /// Of several callers, or for a reason that has nothing to do with who asks.
        case store
    }

    /// So many exchanges in a row without an answer open it.
    static let threshold = 5
    /// While it is open there is one try in so long.
    static let pause = TimeAmount.seconds(1)

    /// Exchanges that had an answer: how far an exchange's beginning lies back in them.
    private(set) var answers: UInt64 = 0
    /// Exchanges that ended without an answer since the last that had one.
    private var failuresInARow = 0
    private var blame = Blame.nobody
    /// When the next one may try, while it is open. Failures meanwhile, of exchanges that began before it opened or of
    /// tries, do not move it; nor does a try whose outcome is long in coming.
    private var nextTry = NIODeadline.uptimeNanoseconds(0)

    private var isOpen: Bool { failuresInARow >= Self.threshold }

    /// A store has answered: whatever it said, it is there.
    mutating func exchangeAnswered() {
        answers += 1
        guard failuresInARow > 0 else { return }
        failuresInARow = 0
        blame = .nobody
    }

    /// No connection could be had, TLS failed, or a connection ended before an answer.
    ///
    /// - Parameter caller: whose request may be to blame; nil: there was none yet.
    /// - Returns: whether this opened it, or for all where it was open for one.
    mutating func exchangeFailed(of caller: Caller?, at now: NIODeadline) -> Bool {
        let blamed = blame
        switch (blame, caller) {
        case (.nobody, let caller?): blame = .one(caller)
        case (.one(let known), let caller?) where known == caller: break
        default: blame = .store
        }
        failuresInARow += 1
        if failuresInARow == Self.threshold {
            nextTry = now + Self.pause
            return true
        }
        return isOpen && blame != blamed
    }

    /// Nothing came in the time that the store has for it. Where the store answered others meanwhile, what was asked is
    /// slow, not the store away.
    ///
    /// - Parameter earlier: ``answers`` when the exchange began.
    /// - Returns: as for ``exchangeFailed(of:at:)``.
    mutating func exchangeTimedOut(of caller: Caller, after earlier: UInt64, at now: NIODeadline) -> Bool {
        answers == earlier && exchangeFailed(of: caller, at: now)
    }

    /// Always while it is closed, or open for somebody else; else once in each pause, so that somebody finds out when it
    /// may be closed again.
    mutating func mayTry(_ caller: @autoclosure () -> Caller, at now: @autoclosure () -> NIODeadline) -> Bool {
        guard isOpen else { return true }
        if case .one(let slow) = blame, slow != caller() { return true }
        let now = now()
        guard now >= nextTry else { return false }
        nextTry = now + Self.pause
        return true
    }
}
