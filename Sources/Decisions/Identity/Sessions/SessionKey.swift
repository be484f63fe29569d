import Crypto
import WireFormats

/// A key that session tokens are sealed with.
public struct SessionKey: Sendable {
    public static let byteCount = 32

    /// What tokens name it by: eight bytes that follow from it and that nothing of it follows from.
    public let id: [UInt8]
    private let root: Secret<[UInt8]>

    /// Nil for anything but 32 bytes, which should be unpredictable.
    public init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        root = Secret(bytes)
        id = Array(
            HMAC<SHA256>.authenticationCode(for: Array("gatehouse session key id".utf8), using: .init(data: bytes))
        )
        .prefix(8).map { $0 }
    }

    /// One key for each session and each purpose: how many sessions a key may seal is then no question.
    func derived(_ purpose: String, for session: [UInt8]) -> SymmetricKey {
        HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: root.reveal()),
            salt: session,
            info: Array(purpose.utf8),
            outputByteCount: 32
        )
    }
}
