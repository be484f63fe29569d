public import S3API
public import WireFormats

/// `[uploads]` as decisions need it: what slots may be, who is told of them, and where what nobody has looked at yet lies.
public struct UploadRules: Sendable {
    public enum OnMismatch: Hashable, Sendable {
        case keep, delete
    }

    public var usualLifetime = Duration.seconds(300)
    public var longestLifetime = Duration.seconds(3600)
    /// Bytes.
    public var largestSize: Int64 = 5 << 30
    /// Whether content of a type may be uploaded.
    public var accepts: @Sendable (_ contentType: MediaType) -> Bool = { _ in true }
    public var openPerPrincipal = 1000
    public var onMismatch = OnMismatch.keep
    /// How long slots that have ended are kept, and what was rejected with them.
    public var retention = Duration.seconds(30 * 86_400)
    /// What keys in quarantine begin with; ends in `/`.
    public var quarantine: [UInt8] {
        get { place.bytes }
        set { place = Place(newValue) }
    }
    private var place = Place(Array(".gatehouse/quarantine/".utf8))
    /// As `events` names them.
    public var targets: [String] = []
    /// What signs what they are told.
    public var webhookSecret: Secret<String>?
    /// The tokens of those who push stores' events, by the account or bucket that these are of.
    public var eventTokens: [String: Secret<String>] = [:]

    private struct Place: Sendable {
        let bytes: [UInt8]
        let folded: FoldedName

        init(_ bytes: [UInt8]) {
            self.bytes = bytes
            folded = FoldedName(bytes)
        }
    }

    public init() {}

    /// Whether a key lies in quarantine, however a store may read its slashes.
    public func isQuarantined(_ key: ObjectKey) -> Bool { place.folded.begins(key.bytes) }

    /// Where the bytes of a slot wait: under its id, so that no two meet, with the key that they are meant for behind it.
    /// - Throws: `KeyTooLongError`.
    public func quarantined(_ key: ObjectKey, of slot: String) throws(S3Error) -> ObjectKey {
        let place = quarantine + Array(slot.utf8) + [UInt8(ascii: "/")] + key.bytes
        guard place.count <= ObjectKey.maximumLength else { throw S3Error(.keyTooLong) }
        return ObjectKey(place)
    }

    /// The key that bytes in quarantine are meant for.
    public func key(behind key: ObjectKey) -> ObjectKey? {
        guard key.hasPrefix(quarantine) else { return nil }
        let rest = key.bytes.dropFirst(quarantine.count)
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")), slash + 1 < rest.endIndex else { return nil }
        return ObjectKey(rest[(slash + 1)...])
    }
}
