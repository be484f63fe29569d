import S3API
import Testing
import Valet
import WireFormats

@testable import ControlPlane

/// A slot of alice's in photos, issued at noon for five minutes: five bytes that shall be an image.
func sampleSlot(_ key: String = "a", issuer: String = "user:alice", on grounds: [UploadSlot.Ground] = []) throws
    -> UploadSlot
{
    UploadSlot(
        random: Array(repeating: 7, count: 16),
        issuer: issuer,
        grounds: grounds,
        bucket: try #require(BucketName(validating: "photos")),
        key: ObjectKey(key),
        contentType: "image/png",
        size: 5,
        mode: .put,
        landing: .direct,
        prior: .absent,
        isOnce: true,
        issuedAt: noon,
        expiresAt: noon + .seconds(300)
    )
}

/// What is told of it when it was issued.
func sampleEvent(_ key: String = "a") throws -> SlotEvent {
    SlotEvent(random: Array(repeating: 9, count: 16), try sampleSlot(key), at: noon)
}
