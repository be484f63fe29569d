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

/// There is a delete marker where an object was asked for.
struct MarkerFound: Error, Sendable {
    let marker: DeleteMarker
    /// Whether the marker itself was asked for, by its version id (405); otherwise it hides the key (404).
    let isNamed: Bool
}

/// What deleting one key came to.
struct DeletedVersion: Sendable {
    let key: ObjectKey
    /// The version that was asked for.
    var version: VersionName?
    /// The delete marker that was made or removed.
    var marker: VersionName?
    /// What clients call that marker; nil where the bucket has never been versioned.
    var markerID: String? { marker?.text }
}

/// A key to delete, or one version of it.
struct Doomed: Sendable {
    let key: ObjectKey
    var version: VersionName?
}

extension ObjectStore {
    /// Finds an object, checks the conditions and opens the bytes asked for.
    /// - Parameter version: nil: what the key shows.
    /// - Throws: `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, `InvalidPart`, ``MarkerFound``.
    func find(
        _ bucket: BucketName,
        _ key: ObjectKey,
        version: VersionName? = nil,
        _ selection: Selection = .whole,
        if conditions: Conditions = Conditions()
    ) async throws -> Lookup {
        try await threads.runIfActive { try self.findBlocking(bucket, key, version, selection, conditions) }
    }

    private func findBlocking(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ version: VersionName?,
        _ selection: Selection,
        _ conditions: Conditions
    ) throws -> Lookup {
        let ticket = beginLookup()
        var leased: ContentID?
        defer { endLookup(ticket, lease: leased) }
        return try index.read { database in
            let (object, _) = try Self.object(database, bucket, key, version)
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
        var claims = claims
        if claims.checksum == nil, claims.computing == nil { claims.computing = .usual }
        let received = try await receive(body, claims)
        var fields = fields
        if let checksum = received.checksum {
            fields.append(checksum.algorithm.header, checksum.base64)
            fields.append("x-amz-checksum-type", ChecksumComposition.fullObject.rawValue)
        }
        let new = StoredObject(
            content: received.id,
            isSegmented: false,
            size: received.size,
            etag: Hex.encode(received.md5),
            modified: now(),
            fields: fields
        )
        let (object, replaced) = try await commit([received]) {
            try await self.write { database in
                let history = History(database, try BucketTable.state(database, bucket), key)
                try Self.require(conditions, of: history)
                return try history.put(new)
            }
        }
        retire(replaced.map { [$0] } ?? [])
        return object
    }

    /// Copies an object's bytes.
    /// - Parameters:
    ///   - fields: makes what is kept with the copy out of what is kept with the source; checksums apart, which
    ///     follow from the bytes.
    ///   - algorithm: of the copy's checksum; nil: the source's.
    /// - Returns: the copy, and the source as it was read.
    func copy(
        from source: ObjectSource,
        to destination: (bucket: BucketName, key: ObjectKey),
        algorithm: ChecksumAlgorithm?,
        if conditions: Conditions,
        fields: (StoredFields) -> StoredFields
    ) async throws -> (StoredObject, source: StoredObject) {
        let found = try await findSource(source, .whole)
        var kept = fields(found.object.fields)
        kept.removeAll { $0.name.starts(with: "x-amz-checksum-".utf8) }
        let present = ChecksumAlgorithm.allCases.first { found.object.fields.first($0.header) != nil }
        let claims = BodyClaims(length: found.object.size, computing: algorithm ?? present)
        let object = try await put(
            destination.bucket,
            destination.key,
            found.reader.chunks(),
            claims,
            fields: kept,
            if: conditions
        )
        return (object, found.object)
    }

    /// The source of a copy, for which every condition that does not hold is an error.
    /// - Throws: `NoSuchKey`, `PreconditionFailed`, `InvalidRange`, `InvalidRequest` for a delete marker.
    func findSource(_ source: ObjectSource, _ selection: Selection) async throws -> FoundObject {
        do {
            switch try await find(
                source.bucket,
                source.key,
                version: source.version,
                selection,
                if: source.conditions
            ) {
            case .found(let found): return found
            case .notModified, .conditionFailed: throw S3Error(.preconditionFailed)
            case .unsatisfiable: throw S3Error(.invalidRange)
            }
        } catch let found as MarkerFound {
            guard found.isNamed else { throw S3Error(.noSuchKey) }
            throw S3Error(
                .invalidRequest,
                "The source of a copy request may not specifically refer to a delete marker."
            )
        }
    }

    /// Removes objects or versions, in one transaction; an absent one is no error. Conditions hold for each key.
    func delete(_ bucket: BucketName, _ doomed: [Doomed], if conditions: Conditions = Conditions()) async throws
        -> [DeletedVersion]
    {
        let instant = now()
        let markers = doomed.map { _ in newContentID() }
        let (deleted, retired) = try await write { database in
            let state = try BucketTable.state(database, bucket)
            var deleted: [DeletedVersion] = []
            var retired: [RetiredContent] = []
            for (entry, marker) in zip(doomed, markers) {
                let history = History(database, state, entry.key)
                try Self.require(conditions, of: history)
                let deletion =
                    try entry.version.map { try history.delete($0) } ?? history.delete(marking: marker, at: instant)
                if let gone = deletion.retired { retired.append(gone) }
                deleted.append(DeletedVersion(key: entry.key, version: entry.version, marker: deletion.marker))
            }
            return (deleted, retired)
        }
        retire(retired)
        return deleted
    }

    /// The object that is asked for.
    /// - Throws: `NoSuchBucket`, `NoSuchKey`, `NoSuchVersion`, ``MarkerFound``.
    static func object(
        _ database: Database,
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ version: VersionName?
    ) throws -> (StoredObject, isCurrent: Bool) {
        let history = History(database, try BucketTable.state(database, bucket), key)
        switch try history.find(version) {
        case .object(let object, let isCurrent): return (object, isCurrent)
        case .marker(let marker): throw MarkerFound(marker: marker, isNamed: version != nil)
        case nil: throw S3Error(version == nil ? .noSuchKey : .noSuchVersion)
        }
    }

    /// Checks a write's conditions against what the key shows, in the transaction that replaces it.
    static func require(_ conditions: Conditions, of history: History) throws {
        guard conditions.ifMatch != nil || conditions.ifNoneMatch != nil else { return }
        let present = try history.current()
        if let ifMatch = conditions.ifMatch {
            guard let present else { throw S3Error(.noSuchKey) }
            guard ifMatch.matches(present.etag) else { throw S3Error(.preconditionFailed) }
        }
        if let ifNoneMatch = conditions.ifNoneMatch, let present, ifNoneMatch.matches(present.etag) {
            throw S3Error(.preconditionFailed)
        }
    }
}

/// What a copy reads, and under which conditions.
struct ObjectSource: Sendable {
    let bucket: BucketName
    let key: ObjectKey
    var version: VersionName?
    var conditions = Conditions()
}
