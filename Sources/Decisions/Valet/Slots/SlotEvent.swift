public import WireFormats

/// One thing that happened to a slot, as others are told of it: at least once, in no promised order.
public struct SlotEvent: Hashable, Sendable {
    /// 32 hexadecimal digits; the same whenever the event is told again.
    public let id: String
    public let kind: UploadSlot.State
    public let slot: UploadSlot
    public let at: Instant

    /// - Parameter random: 16 bytes nobody can guess.
    public init(random: [UInt8], _ slot: UploadSlot, at: Instant) {
        self.init(id: Hex.encode(random), slot, at: at)
    }

    /// An event as it was kept.
    public init(id: String, _ slot: UploadSlot, at: Instant) {
        self.id = id
        kind = slot.state
        self.slot = slot
        self.at = at
    }

    /// `type` of CloudEvents 1.0.
    public var type: String { "gatehouse.upload." + kind.rawValue }
}

/// An event, and whom to tell: written with the change itself, so that neither is ever there without the other.
public struct Announcement: Hashable, Sendable {
    public let event: SlotEvent
    /// As `[uploads] events` names them; empty: nobody.
    public let targets: [String]

    public init(_ event: SlotEvent, to targets: [String]) {
        self.event = event
        self.targets = targets
    }
}
