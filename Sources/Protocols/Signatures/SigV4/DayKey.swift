import Synchronization

/// The signing key of the last day asked for.
final class DayKey: Sendable {
    private let state = Mutex<(day: Int64, key: SigningKey)?>(nil)

    func key(_ day: Int64, derive: () -> SigningKey) -> SigningKey {
        if let known = state.withLock({ $0?.day == day ? $0?.key : nil }) { return known }
        let key = derive()
        state.withLock { $0 = (day, key) }
        return key
    }
}
