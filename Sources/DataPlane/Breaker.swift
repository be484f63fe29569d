import NIOCore

/// Leaves a store alone that does not answer: after some exchanges in a row without an answer it opens, and lets one try
/// through in each pause until an answer comes. The value of one pool; it is told the time.
struct Breaker {
    /// So many exchanges in a row without an answer open it.
    static let threshold = 5
    /// While it is open there is one try in so long.
    static let pause = TimeAmount.seconds(1)

    /// Exchanges that had an answer: how far an exchange's beginning lies back in them.
    private(set) var answers: UInt64 = 0
    /// Exchanges that ended without an answer since the last that had one.
    private var failuresInARow = 0
    /// When the next one may try, while it is open. Failures meanwhile, of exchanges that began before it opened or of
    /// tries, do not move it; nor does a try whose outcome is long in coming.
    private var nextTry = NIODeadline.uptimeNanoseconds(0)

    private var isOpen: Bool { failuresInARow >= Self.threshold }

    /// A store has answered: whatever it said, it is there.
    mutating func exchangeAnswered() {
        answers += 1
        failuresInARow = 0
    }

    /// No connection could be had, TLS failed, or a connection ended before an answer.
    ///
    /// - Returns: whether this opened it.
    mutating func exchangeFailed(at now: NIODeadline) -> Bool {
        failuresInARow += 1
        guard failuresInARow == Self.threshold else { return false }
        nextTry = now + Self.pause
        return true
    }

    /// Nothing came in the time that the store has for it. Where the store answered others meanwhile, what was asked is
    /// slow, not the store away.
    ///
    /// - Parameter earlier: ``answers`` when the exchange began.
    /// - Returns: whether this opened it.
    mutating func exchangeTimedOut(after earlier: UInt64, at now: NIODeadline) -> Bool {
        answers == earlier && exchangeFailed(at: now)
    }

    /// Always while it is closed; else once in each pause, so that somebody finds out when it may be closed again.
    mutating func mayTry(at now: NIODeadline) -> Bool {
        guard isOpen else { return true }
        guard now >= nextTry else { return false }
        nextTry = now + Self.pause
        return true
    }
}
