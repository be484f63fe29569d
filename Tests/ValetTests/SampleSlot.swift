import S3API
import Testing
import Valet
import WireFormats

let noon = Instant(secondsSince1970: 1_800_000_000)

/// A slot for 100 bytes of `image/png` under `photos/a.png`.
func slot(
    mode: UploadSlot.Mode = .put,
    landing: UploadSlot.Landing = .direct,
    prior: UploadSlot.Prior = .absent,
    size: Int64 = 100,
    sha256: [UInt8]? = nil,
    metadata: [String: String] = [:]
) throws -> UploadSlot {
    UploadSlot(
        random: Array(0..<16),
        issuer: "user:alice",
        bucket: try #require(BucketName(validating: "photos")),
        key: ObjectKey("a.png"),
        contentType: "image/png",
        size: size,
        sha256: sha256,
        metadata: metadata,
        mode: mode,
        landing: landing,
        prior: prior,
        isOnce: true,
        issuedAt: noon,
        expiresAt: noon + .seconds(300)
    )
}

func found(
    etag: String = "\"new\"",
    size: Int64 = 100,
    type: String = "image/png",
    version: String? = nil,
    sha256: [UInt8]? = nil,
    properties: ObjectProperties? = nil
) -> FoundObject {
    FoundObject(etag: etag, size: size, contentType: type, versionID: version, sha256: sha256, properties: properties)
}
