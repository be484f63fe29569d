public import WireFormats

/// Why nothing can happen to a slot any more, or not this.
public enum SlotRefusal: Error, Hashable, Sendable {
    /// It has ended, and how.
    case ended(UploadSlot.State)
    /// Its time is over, though nobody has noticed yet.
    case expired
}

extension UploadSlot {
    /// The first bytes are known to be under way: a multipart upload was begun, or the object was seen.
    public func started(multipart begun: Multipart? = nil) throws(SlotRefusal) -> UploadSlot {
        guard state.isOpen else { throw .ended(state) }
        var next = changed(to: .started)
        if let begun { next.multipart = begun }
        return next
    }

    /// The object is there, and is the one that was promised. A slot that is used in time may be completed late: what
    /// was uploaded is there.
    public func completed(with found: FoundObject, at now: Instant) throws(SlotRefusal) -> UploadSlot {
        guard state.isOpen else { throw .ended(state) }
        var next = changed(to: .completed)
        next.result = found
        next.finishedAt = now
        return next
    }

    /// What is there is something else.
    public func rejected(for cause: Cause, found: FoundObject?, at now: Instant) throws(SlotRefusal) -> UploadSlot {
        guard state.isOpen else { throw .ended(state) }
        var next = changed(to: .rejected)
        next.cause = cause
        next.result = found
        next.finishedAt = now
        return next
    }

    /// Nobody used it in time.
    public func expired(at now: Instant) throws(SlotRefusal) -> UploadSlot {
        guard state.isOpen else { throw .ended(state) }
        var next = changed(to: .expired)
        next.cause = .timeout
        next.finishedAt = now
        return next
    }

    /// Its issuer took it back.
    public func aborted(at now: Instant) throws(SlotRefusal) -> UploadSlot {
        guard state.isOpen else { throw .ended(state) }
        var next = changed(to: .aborted)
        next.cause = .byIssuer
        next.finishedAt = now
        return next
    }

    private func changed(to state: State) -> UploadSlot {
        var next = self
        next.state = state
        next.revision += 1
        return next
    }
}
