import Identity
import Valet
import WireFormats

extension URLKeyring {
    /// What URLs to ourselves are signed with: made once, and kept as long as the state.
    static func kept(in state: any SecretStore) async throws(StartFailure) -> URLKeyring {
        do {
            return URLKeyring(secret: try await state.secret("url keys", orKeep: Secret(NewKey.random(32))))
        } catch {
            throw StartFailure("the state can't be used: \(error)")
        }
    }
}
