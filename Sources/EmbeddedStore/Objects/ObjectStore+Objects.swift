import GRDB
import NIOCore
import NIOPosix
import S3API
import WireFormats

/// Which bytes of an object are asked for.
enum Selection: Hashable, Sendable {
    case whole
    case range(ByteRange)
    /// A part of the upload that made the object, from 1; an object put in one piece has one.
    case part(Int)
}

/// An object that was found, with the bytes asked for.
struct FoundObject: Sendable {
    let object: StoredObject
    let reader: ObjectReader
    /// Whether ``reader`` has less than the whole object in mind (206).
    let isPartial: Bool
    /// How many parts it was uploaded in; nil where nobody asked.
    let partCount: Int?
}

/// What looking for an object came to, where that is not an error.
enum Lookup: Sendable {
    case found(FoundObject)
    case notModified(StoredObject)
    /// 412
    case conditionFailed
    /// 416
    case unsatisfiable(size: Int64)
}

extension ObjectStore {
    /// Finds an object, checks the conditions and opens the bytes asked for.
    /// - Throws: `NoSuchBucket`, `NoSuchKey`, `InvalidPart`.
    func find(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ selection: Selection = .whole,
        if conditions: Conditions = Conditions()
    ) async throws -> Lookup {
        try await threads.runIfActive { try self.findBlocking(bucket, key, selection, conditions) }
    }

    private func findBlocking(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ selection: Selection,
        _ conditions: Conditions
    ) throws -> Lookup {
        let ticket = beginLookup()
        var leased: ContentID?
        defer { endLookup(ticket, lease: leased) }
        return try index.read { database in
            let number = try BucketTable.number(database, bucket)
            guard let object = try ObjectTable.find(database, bucket: number, key: key) else {
                throw S3Error(.noSuchKey)
            }
            switch conditions.verdict(etag: object.etag, modified: object.modified) {
            case .holds: break
            case .notModified: return .notModified(object)
            case .failed: return .conditionFailed
            }
            let range: Range<Int64>
            var partCount: Int?
            switch selection {
            case .whole:
                range = 0..<object.size
            case .range(let asked):
                guard let resolved = asked.resolved(size: object.size) else { return .unsatisfiable(size: object.size) }
                range = resolved
            case .part(let part) where object.isSegmented:
                let (segment, count) = try ObjectTable.segment(database, of: object.content, number: part)
                guard let segment else { throw S3Error(.invalidPart) }
                range = segment.start..<(segment.start + segment.length)
                partCount = count
            case .part(let part):
                guard part == 1 else { throw S3Error(.invalidPart) }
                range = 0..<object.size
            }
            var segments = [Segment(file: object.content, start: 0, length: object.size)]
            if object.isSegmented {
                segments = try ObjectTable.segments(
                    database,
                    of: object.content,
                    from: range.lowerBound,
                    to: range.upperBound
                )
            }
            leased = object.content
            let reader = ObjectReader(store: self, content: object.content, segments: segments, range: range)
            return .found(
                FoundObject(object: object, reader: reader, isPartial: selection != .whole, partCount: partCount)
            )
        }
    }

    /// Puts an object in one piece. It is there, whole, when this returns; or nothing has changed.
    /// - Throws: `NoSuchBucket`, `PreconditionFailed`, `NoSuchKey` (`If-Match` on an absent key), and what
    ///   ``IncomingContent/finish()`` throws.
    func put<Body: AsyncSequence>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ body: Body,
        _ claims: BodyClaims,
        fields: StoredFields,
        if conditions: Conditions = Conditions()
    ) async throws -> StoredObject where Body.Element == ByteBuffer {
        try await requireBucket(bucket)
        let received = try await receive(body, claims)
        var fields = fields
        if let checksum = received.checksum {
            fields.append(checksum.algorithm.header, checksum.base64)
            fields.append("x-amz-checksum-type", ChecksumComposition.fullObject.rawValue)
        }
        let object = StoredObject(
            content: received.id,
            isSegmented: false,
            size: received.size,
            etag: Hex.encode(received.md5),
            modified: now(),
            fields: fields
        )
        let replaced = try await commit([received]) {
            try await self.write { database in
                let number = try BucketTable.number(database, bucket)
                try Self.require(conditions, try ObjectTable.find(database, bucket: number, key: key))
                return try ObjectTable.replace(database, bucket: number, key: key, with: object, segments: [])
            }
        }
        retire(replaced.map { [$0] } ?? [])
        return object
    }

    /// Copies an object's bytes. `fields` nil: those of the source are kept.
    func copy(
        from source: (bucket: BucketName, key: ObjectKey),
        if sourceConditions: Conditions,
        to destination: (bucket: BucketName, key: ObjectKey),
        fields: StoredFields?,
        if conditions: Conditions
    ) async throws -> StoredObject {
        let found = try await findSource(source, .whole, if: sourceConditions)
        var kept = fields ?? found.object.fields
        let isChecksum: (StoredFields.Item) -> Bool = { $0.name.starts(with: "x-amz-checksum-".utf8) }
        let algorithm = ChecksumAlgorithm.allCases.first { found.object.fields.first($0.header) != nil }
        kept.removeAll(where: isChecksum)
        let claims = BodyClaims(length: found.object.size, computing: algorithm)
        return try await put(
            destination.bucket,
            destination.key,
            found.reader.chunks(),
            claims,
            fields: kept,
            if: conditions
        )
    }

    /// The source of a copy, for which every condition that does not hold is an error.
    /// - Throws: `NoSuchKey`, `PreconditionFailed`, `InvalidRange`.
    func findSource(
        _ source: (bucket: BucketName, key: ObjectKey),
        _ selection: Selection,
        if conditions: Conditions
    ) async throws -> FoundObject {
        switch try await find(source.bucket, source.key, selection, if: conditions) {
        case .found(let found): return found
        case .notModified, .conditionFailed: throw S3Error(.preconditionFailed)
        case .unsatisfiable: throw S3Error(.invalidRange)
        }
    }

    /// Removes objects, in one transaction; an absent one is no error. Conditions hold for each key.
    func delete(_ bucket: BucketName, _ keys: [ObjectKey], if conditions: Conditions = Conditions()) async throws {
        let retired = try await write { database in
            let number = try BucketTable.number(database, bucket)
            var retired: [RetiredContent] = []
            for key in keys {
                if !conditions.isEmpty {
                    try Self.require(conditions, try ObjectTable.find(database, bucket: number, key: key))
                }
                if let gone = try ObjectTable.delete(database, bucket: number, key: key) { retired.append(gone) }
            }
            return retired
        }
        retire(retired)
    }

    /// Checks a write's conditions against what is there, in the transaction that replaces it.
    static func require(_ conditions: Conditions, _ present: StoredObject?) throws(S3Error) {
        if let ifMatch = conditions.ifMatch {
            guard let present else { throw S3Error(.noSuchKey) }
            guard ifMatch.matches(present.etag) else { throw S3Error(.preconditionFailed) }
        }
        if let ifNoneMatch = conditions.ifNoneMatch, let present, ifNoneMatch.matches(present.etag) {
            throw S3Error(.preconditionFailed)
        }
    }
}
