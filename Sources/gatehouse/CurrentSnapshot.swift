import Pipeline
import Synchronization

/// The configuration that requests are decided by at present, for whoever decides something without one.
final class CurrentSnapshot: Sendable {
    private let value: Mutex<Snapshot>

    init(_ snapshot: Snapshot) { value = Mutex(snapshot) }

    func withLock<Result: Sendable>(_ body: (inout Snapshot) -> Result) -> Result { value.withLock { body(&$0) } }

    var now: Snapshot { withLock { $0 } }
}
