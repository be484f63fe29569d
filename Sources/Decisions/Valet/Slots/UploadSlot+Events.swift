public import WireFormats

/// Why nothing can happen to a slot any more, or not this.
public enum SlotRefusal: Error, Hashable, Sendable {
    /// It has ended, and how.
    case ended(UploadSlot.State)
    /// It has not ended yet.
    case open
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
        var next = try ended(.completed, at: now)
        next.result = found
        return next
    }

    /// What is there is something else.
    public func rejected(for cause: Cause, found: FoundObject?, at now: Instant) throws(SlotRefusal) -> UploadSlot {
        var next = try ended(.rejected, at: now)
        next.cause = cause
        next.result = found
        return next
    }

    /// Nobody used it in time.
    public func expired(at now: Instant) throws(SlotRefusal) -> UploadSlot {
        var next = try ended(.expired, at: now)
        next.cause = .timeout
        return next
    }

    /// Its issuer took it back.
    public func aborted(at now: Instant) throws(SlotRefusal) -> UploadSlot {
        var next = try ended(.aborted, at: now)
        next.cause = .byIssuer
        return next
    }

    /// What it was issued on was taken back: what was uploaded, if anything was, is nobody's.
    public func revoked(at now: Instant) throws(SlotRefusal) -> UploadSlot {
        var next = try ended(.aborted, at: now)
        next.cause = .revoked
        return next
    }

    /// Whether its URL may have put an object under the key itself, or may yet, though it was taken back.
    public var mayBringStray: Bool { state == .aborted && landing == .direct && mode == .put }

    /// What it left at the store was removed, or shall stay there. No event: nobody else is concerned.
    public func cleared() throws(SlotRefusal) -> UploadSlot {
        guard !state.isOpen else { throw .open }
        var next = changed(to: state)
        next.hasLeftovers = false
        return next
    }

    private func ended(_ end: State, at now: Instant) throws(SlotRefusal) -> UploadSlot {
        guard state.isOpen else { throw .ended(state) }
        var next = changed(to: end)
        next.finishedAt = now
        // Under the key itself nothing is left to remove: what isn't what was promised there is somebody else's.
        next.hasLeftovers =
            landing != .direct || (multipart != nil && end != .completed) || next.mayBringStray
        return next
    }

    private func changed(to state: State) -> UploadSlot {
        var next = self
        next.state = state
        next.revision += 1
        return next
    }
}
