public import WireFormats

/// Keeps secrets that Gatehouse makes for itself where the configuration gives none, so that what they were used for is
/// still good after a restart.
public protocol SecretStore: Sendable {
    /// The secret of that name; where there is none yet, `candidate` becomes it, for everybody who asks later.
    func secret(_ name: String, orKeep candidate: Secret<[UInt8]>) async throws(StateError) -> Secret<[UInt8]>
}
