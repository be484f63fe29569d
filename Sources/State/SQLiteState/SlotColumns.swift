import GRDB
import S3API
import Valet
import WireFormats

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A slot in columns: those that never change, and those of its progress, which events have as well.
enum SlotColumns {
    static let fixed = [
        "id", "issuer", "bucket", "key", "landing", "quarantined", "content_type", "size", "sha256", "metadata", "mode",
        "prior_etag", "prior_version", "overwrite", "once", "issued", "expires",
        "grounds",
    ]
    static let progress = [
        "state", "upload", "part_size", "found_etag", "found_size", "found_type", "found_version", "found_sha256",
        "cause", "finished", "leftovers", "revision",
    ]

    /// All of them, to begin a SELECT with that is read by ``slot(_:)``.
    static let all = list(fixed, of: "slot") + ", " + list(progress, of: "slot")

    static func list(_ columns: [String], of table: String) -> String {
        columns.map { table + "." + $0 }.joined(separator: ", ")
    }

    static func fixedValues(_ slot: UploadSlot) throws -> [(any DatabaseValueConvertible)?] {
        let prior: (etag: String?, version: String?) =
            switch slot.prior {
            case .absent: (nil, nil)
            case .object(let etag, let versionID): (etag, versionID)
            }
        return [
            slot.id, slot.issuer, slot.bucket.string, Data(slot.key.bytes), Data(slot.landingKey.bytes),
            slot.landing != .direct, slot.contentType, slot.size, slot.sha256.map { Data($0) },
            slot.metadata.isEmpty ? nil : try JSONEncoder().encode(slot.metadata), slot.mode.rawValue, prior.etag,
            prior.version, slot.mayOverwrite, slot.isOnce, slot.issuedAt.nanosecondsSince1970,
            slot.expiresAt.nanosecondsSince1970, try kept(slot.grounds),
        ]
    }

    static func progressValues(_ slot: UploadSlot) -> [(any DatabaseValueConvertible)?] {
        [
            slot.state.rawValue, slot.multipart?.uploadID, slot.multipart?.partSize, slot.result?.etag,
            slot.result?.size, slot.result?.contentType, slot.result?.versionID, slot.result?.sha256.map { Data($0) },
            slot.cause?.rawValue, slot.finishedAt?.nanosecondsSince1970, slot.hasLeftovers, slot.revision,
        ]
    }

    /// From the columns of ``fixed``, then those of ``progress``.
    static func slot(_ row: Row) throws -> UploadSlot {
        let bucket: String = row[2]
        let mode: String = row[10]
        guard let bucket = BucketName(validating: bucket.utf8), let mode = UploadSlot.Mode(rawValue: mode) else {
            throw StateError.corrupt("a slot has a bucket or a mode that can't be")
        }
        let landing = ObjectKey(bytes(row[4]))
        let metadata: Data? = row[9]
        let priorETag: String? = row[11]
        let grounds: Data? = row[17]
        return UploadSlot(
            id: row[0],
            issuer: row[1],
            // Slots of earlier releases have none.
            grounds: try grounds.map { try self.grounds($0) } ?? [],
            bucket: bucket,
            key: ObjectKey(bytes(row[3])),
            contentType: row[6],
            size: row[7],
            sha256: optionalBytes(row[8]),
            metadata: try metadata.map { try decoded($0) } ?? [:],
            mode: mode,
            landing: row[5] ? .quarantine(landing) : .direct,
            prior: priorETag.map { .object(etag: $0, versionID: row[12]) } ?? .absent,
            mayOverwrite: row[13],
            isOnce: row[14],
            issuedAt: Instant(nanosecondsSince1970: row[15]),
            expiresAt: Instant(nanosecondsSince1970: row[16]),
            progress: try progress(row, at: fixed.count)
        )
    }

    private static func progress(_ row: Row, at start: Int) throws -> UploadSlot.Progress {
        let state: String = row[start]
        let cause: String? = row[start + 8]
        guard let state = UploadSlot.State(rawValue: state) else {
            throw StateError.corrupt("a slot has a state that can't be")
        }
        let uploadID: String? = row[start + 1]
        let etag: String? = row[start + 3]
        let finished: Int64? = row[start + 9]
        return UploadSlot.Progress(
            state: state,
            multipart: uploadID.map { UploadSlot.Multipart(uploadID: $0, partSize: row[start + 2]) },
            result: etag.map {
                FoundObject(
                    etag: $0,
                    size: row[start + 4],
                    contentType: row[start + 5],
                    versionID: row[start + 6],
                    sha256: optionalBytes(row[start + 7])
                )
            },
            cause: cause.flatMap { UploadSlot.Cause(rawValue: $0) },
            finishedAt: finished.map { Instant(nanosecondsSince1970: $0) },
            hasLeftovers: row[start + 10],
            revision: row[start + 11]
        )
    }

    private static func decoded(_ metadata: Data) throws -> [String: String] {
        do {
            return try JSONDecoder().decode([String: String].self, from: metadata)
        } catch {
            throw StateError.corrupt("a slot's metadata can't be read")
        }
    }

    private struct KeptGround: Codable {
        let kind: String
        let subject: String
        let issued: Int64
    }

    private static func kept(_ grounds: [UploadSlot.Ground]) throws -> Data? {
        guard !grounds.isEmpty else { return nil }
        return try JSONEncoder().encode(
            grounds.map {
                KeptGround(kind: $0.kind.rawValue, subject: $0.subject, issued: $0.issuedAt.nanosecondsSince1970)
            }
        )
    }

    /// What is not understood might have been taken back: such a slot can't be read.
    private static func grounds(_ data: Data) throws -> [UploadSlot.Ground] {
        let kept: [KeptGround]
        do {
            kept = try JSONDecoder().decode([KeptGround].self, from: data)
        } catch {
            throw StateError.corrupt("what a slot was issued on can't be read")
        }
        return try kept.map { ground in
            guard let kind = UploadSlot.Ground.Kind(rawValue: ground.kind) else {
                throw StateError.corrupt("a slot was issued on something that can't be")
            }
            return UploadSlot.Ground(kind, ground.subject, issuedAt: Instant(nanosecondsSince1970: ground.issued))
        }
    }

    private static func bytes(_ data: Data) -> [UInt8] { Array(data) }

    private static func optionalBytes(_ data: Data?) -> [UInt8]? { data.map { Array($0) } }
}
