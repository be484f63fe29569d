import Identity
import Settings
import Valet
import WireFormats

extension SessionKeyring {
    /// What session tokens are sealed with: what the configuration says, else a key that is made once and kept as long as
    /// the state.
    static func kept(in state: any SecretStore) async throws(StartFailure) -> SessionKeyring {
        let kept: Secret<[UInt8]>
        do {
            kept = try await state.secret("session tokens", orKeep: Secret(NewKey.random(SessionKey.byteCount)))
        } catch {
            throw StartFailure("the state can't be used: \(error)")
        }
        guard let key = SessionKey(kept.reveal()) else {
            throw StartFailure("the state can't be used: its key for session tokens is not one")
        }
        return SessionKeyring(keys: [key])
    }
}
