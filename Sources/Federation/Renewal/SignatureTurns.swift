import Synchronization

/// Whose turn it is to ask for a signature: so many ask at a time, so many wait behind them, in their order and not for
/// long.
final class SignatureTurns: Sendable {
    private struct Waiter {
        let number: Int
        let continuation: CheckedContinuation<ExchangeFailure?, Never>
        /// Ends the wait; cancelled with it.
        let timer: Task<Void, Never>
    }

    private struct State {
        var underWay = 0
        var waiting: [Waiter] = []
        var lastNumber = 0
    }

    private static let tooMany = ExchangeFailure("too many signatures are being asked for")
    private static let left = ExchangeFailure("nobody waits any more")

    private let rules: SignatureRules
    private let state = Mutex(State())

    init(_ rules: SignatureRules) { self.rules = rules }

    /// Returns once it is the caller's turn, which ``giveBack()`` ends.
    ///
    /// - Throws: where too many wait already, it takes too long, or the caller's task is cancelled.
    func take() async throws(ExchangeFailure) {
        let number = state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
        let failure = await withTaskCancellationHandler {
            await withCheckedContinuation { wait($0, as: number) }
        } onCancel: {
            leave(number, Self.left)
        }
        if let failure { throw failure }
    }

    func giveBack() {
        let next = state.withLock { state -> Waiter? in
            guard state.waiting.isEmpty else { return state.waiting.removeFirst() }
            state.underWay -= 1
            return nil
        }
        resume(next, nil)
    }

    private func wait(_ continuation: CheckedContinuation<ExchangeFailure?, Never>, as number: Int) {
        enum Step { case go, wait, refuse }
        let step = state.withLock { state -> Step in
            if state.underWay < rules.most {
                state.underWay += 1
                return .go
            }
            guard state.waiting.count < rules.longestQueue else { return .refuse }
            let timer = Task {
                try? await Task.sleep(for: rules.patience)
                leave(number, ExchangeFailure("no turn to ask for a signature within \(rules.patience)"))
            }
            state.waiting.append(Waiter(number: number, continuation: continuation, timer: timer))
            return .wait
        }
        switch step {
        case .go: continuation.resume(returning: nil)
        case .refuse: continuation.resume(returning: Self.tooMany)
        // Whoever was cancelled before it waited was not found.
        case .wait: if Task.isCancelled { leave(number, Self.left) }
        }
    }

    private func leave(_ number: Int, _ failure: ExchangeFailure) {
        let waiter = state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        resume(waiter, failure)
    }

    private func resume(_ waiter: Waiter?, _ failure: ExchangeFailure?) {
        waiter?.timer.cancel()
        waiter?.continuation.resume(returning: failure)
    }
}

/// The bounds of signatures that others make.
package struct SignatureRules: Sendable {
    /// Asked for at a time.
    package var most = 64
    /// Waiting for their turn.
    package var longestQueue = 1_000
    /// How long a turn is waited for; the request itself has as long.
    package var patience = Duration.seconds(5)

    package init() {}
}
