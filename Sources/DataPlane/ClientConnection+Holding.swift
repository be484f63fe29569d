import HTTP1
import Journal
import NIOCore
import S3API

/// Bodies that are read whole: what they cost is bounded for all together, and so is how long one may take.
extension ClientConnection {
    /// A body begins to be read whole.
    func beginHolding() {
        if held == nil { held = HeldBody(caller: caller, since: loop.now()) }
        awaitHeldBody()
    }

    func awaitHeldBody() {
        guard let held else { return }
        deadline = held.deadline(at: loop.now(), idle: loop.waits.bodyIdle)
    }

    /// Takes what these bytes cost; false, and the request refused, where too much is held already.
    func hold(_ bytes: Int) -> Bool {
        guard let caller = held?.caller, loop.shared.bodies.take(bytes, for: caller) else {
            record.reason = "too many bytes of bodies are held already"
            answer.keepAlive = false
            send(refusal(S3Error(.slowDown, retryAfter: 1)))
            return false
        }
        held?.add(bytes)
        loop.journal.metrics.heldBodyBytes += bytes
        return true
    }

    /// What was held is passed on, or of no use any more.
    func releaseHeld() {
        collected = []
        formReader = nil
        guard let held else { return }
        self.held = nil
        loop.shared.bodies.giveBack(held.count, of: held.caller)
        loop.journal.metrics.heldBodyBytes -= held.count
    }
}
