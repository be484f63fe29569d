import Backends
import Foundation
import HTTP1
import Pipeline
import S3API
import Valet
import WireFormats

/// A bucket at its store, asked about slots: is it there, bring it to its key, take it away.
struct SlotPlace: Sendable {
    let bucket: Bucket
    let client: StoreClient
    let now: @Sendable () -> Instant

    private var backend: any Backend { bucket.backend }

    private func named(_ key: ObjectKey) -> StoredObject { StoredObject(bucket.name, key) }

    /// Nil where there is no object.
    func object(_ key: ObjectKey) async throws(APIFailure) -> FoundObject? {
        let answer = try await ask { () throws(S3Error) in try backend.headObject(named(key), at: now()) }
        switch answer.status {
        case 200: return try Self.found(answer)
        case 404: return nil
        default: throw Self.failure(answer)
        }
    }

    private static func found(_ answer: StoreClient.Told) throws(APIFailure) -> FoundObject {
        guard let etag = answer.field("etag"), !etag.isEmpty,
            let size = answer.length, size >= 0
        else { throw APIFailure(S3Error(.backendBadAnswer)) }
        // The checksum of an object in parts is one of checksums, and says nothing of its bytes.
        let isWhole = answer.field("x-amz-checksum-type").map { $0 == "FULL_OBJECT" } ?? true
        let sha256 = answer.field("x-amz-checksum-sha256").flatMap { Base64.decode(Array($0.utf8)) }
        return FoundObject(
            etag: etag,
            size: size,
            contentType: answer.field("content-type") ?? "",
            versionID: answer.field("x-amz-version-id"),
            sha256: isWhole && sha256?.count == 32 ? sha256 : nil,
            properties: properties(answer)
        )
    }

    private static func properties(_ answer: StoreClient.Told) -> ObjectProperties {
        let fields = answer.fields
        var metadata: [String: String] = [:]
        for entry in fields.entries where fields.hasPrefix(entry, "x-amz-meta-") {
            let name = fields.name(entry).dropFirst("x-amz-meta-".utf8.count).map { lowered($0) }
            // What is said twice is not what was said once.
            metadata[String(decoding: name, as: UTF8.self), default: ""] += String(
                decoding: fields.value(entry),
                as: UTF8.self
            )
        }
        return ObjectProperties(
            metadata: metadata,
            encoding: fields.string("content-encoding"),
            disposition: fields.string("content-disposition")
        )
    }

    /// The SHA-256 of an object's bytes, which are read for it: 32 bytes; nil where it is not there any more.
    func digest(_ key: ObjectKey, _ object: FoundObject) async throws(APIFailure) -> [UInt8]? {
        let exchange: Exchange
        do {
            exchange = try backend.getObject(named(key), etag: object.etag, at: now())
        } catch {
            throw APIFailure(error)
        }
        do {
            return try await client.digest(exchange, ofSize: object.size, from: bucket.upstream)
        } catch {
            throw Self.failure(error)
        }
    }

    enum Brought {
        case there
        /// Something else is there, which may not be overwritten.
        case occupied
        /// What should be brought is not there (any more).
        case gone
    }

    /// Copies what is in quarantine, if it is still that, to its key, with the type and the metadata that the slot promises
    /// and nothing else of what was said of it there. A copy that is there is one of ours that nobody heard of; what was
    /// there before is not, however much it looks like one.
    func promote(
        _ source: ObjectKey,
        _ object: FoundObject,
        of slot: UploadSlot,
        if occupancy: Occupancy
    ) async throws(APIFailure) -> Brought {
        // Some stores pass over a condition on the destination of a copy; theirs is one that is not there.
        if occupancy == .absent, let there = try await self.object(slot.key) {
            return try await isCopied(source, object, there, of: slot) ? .there : .occupied
        }
        let answer = try await ask { () throws(S3Error) in
            try backend.copyObject(
                source,
                etag: object.etag,
                to: named(slot.key),
                describedBy: slot.objectFields,
                if: occupancy,
                at: now()
            )
        }
        switch answer.status {
        case 200: return .there
        case 404: return .gone
        case 412:
            guard occupancy == .absent, let there = try await self.object(slot.key) else { return .gone }
            return try await isCopied(source, object, there, of: slot) ? .there : .occupied
        case 501 where occupancy != .any:
            return try await promote(source, object, of: slot, if: .any)
        default: throw Self.failure(answer)
        }
    }

    /// Whether what is there is a copy of the object in quarantine, by its ETag or else by its bytes, which are read: at some
    /// stores copies have ETags of their own, and who put the object may have said what digest the store keeps of it.
    private func isCopied(
        _ source: ObjectKey,
        _ object: FoundObject,
        _ there: FoundObject,
        of slot: UploadSlot
    ) async throws(APIFailure) -> Bool {
        guard slot.mayBeCopied(object, as: there) else { return false }
        if there.etag == object.etag { return true }
        guard let kept = try await digest(source, object) else { return false }
        return try await digest(slot.key, there) == kept
    }

    /// What a store made of a condition.
    enum Heed: Sendable {
        /// Done, as the version named where there are versions.
        case done(versionID: String?)
        /// Refused since the condition was not met.
        case refused
        /// It says that it knows no such condition, and did nothing.
        case unknown
    }

    /// Puts an empty object.
    func put(_ key: ObjectKey, if occupancy: Occupancy) async throws(APIFailure) -> Heed {
        try Self.heed(
            try await ask { () throws(S3Error) in try backend.putEmptyObject(named(key), if: occupancy, at: now()) }
        )
    }

    /// Copies an object where it is that.
    func copy(_ source: ObjectKey, etag: String, to key: ObjectKey) async throws(APIFailure) -> Heed {
        let answer = try await ask { () throws(S3Error) in
            try backend.copyObject(source, etag: etag, to: named(key), if: .any, at: now())
        }
        return try Self.heed(answer)
    }

    private static func heed(_ answer: StoreClient.Told) throws(APIFailure) -> Heed {
        switch answer.status {
        case 200: .done(versionID: answer.field("x-amz-version-id"))
        case 409, 412: .refused
        case 400, 501: .unknown
        default: throw failure(answer)
        }
    }

    /// Removes an object of ours that lies in quarantine. Nothing elsewhere is ever removed: it may be anybody's.
    func removeQuarantined(_ key: ObjectKey, versionID: String?) async throws(APIFailure) {
        let version = versionID.flatMap { $0 == "null" ? nil : $0 }
        let answer = try await ask { () throws(S3Error) in
            try backend.deleteObject(named(key), versionID: version, at: now())
        }
        guard [200, 202, 204, 404].contains(answer.status) else { throw Self.failure(answer) }
    }

    // MARK: - In parts

    /// Returns the upload's id.
    func begin(_ key: ObjectKey, fields: FieldBlock) async throws(APIFailure) -> String {
        let answer = try await ask { () throws(S3Error) in
            try backend.createMultipartUpload(named(key), fields: fields, at: now())
        }
        guard answer.status == 200 else { throw Self.failure(answer) }
        guard let id = (try? XMLReader.parse(answer.body))?.value("UploadId"), !id.isEmpty else {
            throw APIFailure(S3Error(.backendBadAnswer))
        }
        return id
    }

    /// What the store has of an upload, by number, a part that was sent again last; nil where the upload is not there (any
    /// more).
    func parts(_ key: ObjectKey, uploadID: String) async throws(APIFailure) -> [StoredPart]? {
        var parts: [StoredPart] = []
        for _ in 0..<11 {
            let marker = parts.last?.number ?? 0
            let answer = try await ask { () throws(S3Error) in
                try backend.listParts(named(key), uploadID: uploadID, after: marker, at: now())
            }
            if answer.status == 404 { return nil }
            guard answer.status == 200, let page = try? XMLReader.parse(answer.body, maxElements: 50_000) else {
                throw Self.failure(answer)
            }
            for node in page.children(named: "Part") {
                guard let number = node.value("PartNumber").flatMap({ Int($0) }), number >= parts.last?.number ?? 1,
                    let size = node.value("Size").flatMap({ Int64($0) }), size >= 0, let etag = node.value("ETag")
                else { throw APIFailure(S3Error(.backendBadAnswer)) }
                let part = StoredPart(
                    number: number,
                    etag: etag,
                    size: size,
                    modified: node.value("LastModified") ?? ""
                )
                // Stores exist that list each time that a part was sent.
                let isOlder = parts.last.map { $0.number == number && $0.modified > part.modified } ?? false
                parts.insert(part, at: isOlder ? parts.count - 1 : parts.count)
            }
            guard page.value("IsTruncated") == "true", parts.last?.number ?? 0 > marker else { break }
        }
        return parts
    }

    struct StoredPart: Sendable {
        let number: Int
        let etag: String
        let size: Int64
        /// As the store writes it: times of one store compare as texts.
        let modified: String
    }

    func finish(
        _ key: ObjectKey,
        uploadID: String,
        parts: [(number: Int, etag: String)],
        if occupancy: Occupancy
    ) async throws(APIFailure) -> Brought {
        guard occupancy == .any || backend.completesConditionally else {
            // What can't be made a condition is looked at right before.
            if try await object(key) != nil { return .occupied }
            return try await finish(key, uploadID: uploadID, parts: parts, if: .any)
        }
        let answer = try await ask { () throws(S3Error) in
            try backend.completeMultipartUpload(
                named(key),
                uploadID: uploadID,
                parts: parts,
                if: occupancy,
                at: now()
            )
        }
        switch answer.status {
        case 200: return .there
        case 404: return .gone
        case 412: return .occupied
        case 400:
            throw APIFailure(.invalidArgument, "The store refuses these parts: \(answer.failure?.code ?? "").")
        default: throw Self.failure(answer)
        }
    }

    func abort(_ key: ObjectKey, uploadID: String) async throws(APIFailure) {
        let answer = try await ask { () throws(S3Error) in
            try backend.abortMultipartUpload(named(key), uploadID: uploadID, at: now())
        }
        guard [200, 204, 404].contains(answer.status) else { throw Self.failure(answer) }
    }

    // MARK: - Asking

    private func ask(_ make: () throws(S3Error) -> Exchange) async throws(APIFailure) -> StoreClient.Told {
        if let lease = bucket.lease, !lease.isUsable(at: now()) {
            throw APIFailure(S3Error(.backendCredentialUnavailable, retryAfter: 1))
        }
        let exchange: Exchange
        do {
            exchange = try make()
        } catch {
            throw APIFailure(error)
        }
        do {
            let told = try await client.ask(exchange, of: bucket.upstream)
            if case .credential? = told.failure?.cause { bucket.lease?.wasRefused() }
            return told
        } catch {
            throw Self.failure(error)
        }
    }

    private static func failure(_ trouble: StoreClient.Trouble) -> APIFailure {
        switch trouble {
        case .timeout: return APIFailure(S3Error(.backendTimeout))
        case .tooLong: return APIFailure(S3Error(.backendBadAnswer))
        case .unreachable(let reason):
            var failure = APIFailure(S3Error.unreachableStore)
            failure.reason = reason
            return failure
        }
    }

    private static func failure(_ answer: StoreClient.Told) -> APIFailure {
        let code: S3Error.Code =
            switch (answer.failure?.cause, answer.status) {
            case (.credential, _), (_, 401), (_, 403), (_, 407): .backendAuthFailed
            case (.redirect, _): .backendRedirected
            case (_, 404): .noSuchBucket
            case (_, 429), (_, 503): .slowDown
            case (_, 504): .backendTimeout
            default: .backendBadAnswer
            }
        var failure = APIFailure(S3Error(code))
        failure.reason = "store: \(answer.status) \(answer.failure?.storeCode ?? "")"
        return failure
    }
}
