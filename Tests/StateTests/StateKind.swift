import Foundation
import S3API
import SQLiteState
import Testing
import Valet
import WireFormats

/// The stores that pass the suite: every behaviour that the ports promise is asked of each.
enum StateKind: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case file, memory

    var testDescription: String { rawValue }

    /// Runs `body` with an empty store.
    func withState(_ body: (any ValetState) async throws -> Void) async throws {
        switch self {
        case .file:
            try await withFolder { folder in
                let state = try SQLiteState(.file(path: folder + "/state.db"))
                try await body(state)
                await state.close()
            }
        case .memory:
            let state = try SQLiteState(.memory)
            try await body(state)
            await state.close()
        }
    }
}

/// An empty folder for as long as `body` runs.
func withFolder(_ body: (String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("state-" + UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    try await body(folder.path)
}

let noon = Instant(secondsSince1970: 1_800_000_000)

/// An id from a number, as the 16 bytes that stand for it.
func bytes(_ number: Int) -> [UInt8] {
    (0..<16).map { UInt8(truncatingIfNeeded: $0 < 8 ? 0 : number >> (8 * (15 - $0))) }
}

func bucket(_ name: String = "photos") throws -> BucketName {
    try #require(BucketName(validating: name.utf8))
}

func slot(
    _ number: Int = 1,
    issuer: String = "user:alice",
    grounds: [UploadSlot.Ground] = [],
    key: ObjectKey? = nil,
    landing: UploadSlot.Landing = .direct,
    expiresAt: Instant = noon + .seconds(300)
) throws -> UploadSlot {
    UploadSlot(
        random: bytes(number),
        issuer: issuer,
        grounds: grounds,
        bucket: try bucket(),
        key: key ?? ObjectKey("\(number).png"),
        contentType: "image/png",
        size: 100,
        mode: .put,
        landing: landing,
        prior: .absent,
        isOnce: true,
        issuedAt: noon,
        expiresAt: expiresAt
    )
}

let object = FoundObject(etag: "\"new\"", size: 100, contentType: "image/png")

func announcement(_ slot: UploadSlot, _ number: Int = 1, to targets: [String] = []) -> Announcement {
    Announcement(SlotEvent(random: bytes(number), slot, at: noon), to: targets)
}

extension GrantStore {
    @discardableResult
    func insert(_ grant: Grant, for creation: IdempotencyKey?) async throws(StateError) -> GrantInsertion {
        let limits = GrantLimits(together: 1000, ofOneGiver: 1000, forOneKey: 1000, prefixes: 1000)
        return try await insert(grant, within: limits, for: creation)
    }
}

extension SlotStore {
    @discardableResult
    func insert(_ slot: UploadSlot, limit: Int = 1000, to targets: [String] = []) async throws -> SlotInsertion {
        try await insert(slot, announcement(slot, to: targets), openLimit: limit, for: nil)
    }

    @discardableResult
    func replace(with slot: UploadSlot, to targets: [String] = []) async throws -> SlotReplacement {
        try await replace(with: slot, announcement(slot, slot.revision, to: targets))
    }
}

/// What is said where a file is not opened; empty: it was.
func fault(opening path: String) -> String {
    do {
        _ = try SQLiteState(.file(path: path))
        return ""
    } catch {
        return "\(error)"
    }
}
