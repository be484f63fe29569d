import HTTP1
import NIOCore
import S3API
import WireFormats

/// Deletion, and the listing of versions.
extension StoreResponder {
    func deleteObject<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let deleted = try await store.delete(
            bucket,
            [Doomed(key: key, version: try exchange.version())],
            if: exchange.reading.conditions
        )
        var answer = StoreAnswer(204)
        guard let deleted = deleted.first else { return answer }
        if deleted.marker != nil { answer.fields.append("x-amz-delete-marker", "true") }
        answer.appendVersion(deleted.version?.text ?? deleted.markerID)
        return answer
    }

    func deleteObjects<Body>(_ bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let document = try await collect(exchange)
        if let checksum = try exchange.reading.checksum() {
            guard Checksum.of(document, checksum.algorithm) == checksum.digest else { throw S3Error(.badDigest) }
        }
        let request = try DeleteRequest(parsing: document)
        var result = DeleteResult()
        var doomed: [Doomed] = []
        for entry in request.entries {
            guard entry.conditions.isEmpty else {
                result.failures.append(
                    DeleteResult.Failure(key: entry.key, versionID: entry.versionID, S3Error(.notImplemented))
                )
                continue
            }
            do {
                doomed.append(Doomed(key: entry.key, version: try entry.versionID.map { try VersionName($0.utf8) }))
            } catch {
                result.failures.append(
                    DeleteResult.Failure(key: entry.key, versionID: entry.versionID, S3Error(.noSuchVersion))
                )
            }
        }
        let deleted = try await store.delete(bucket, doomed)
        if !request.quiet {
            result.deleted = deleted.map { entry in
                DeleteResult.Deleted(
                    key: entry.key,
                    versionID: entry.version?.text,
                    deleteMarker: entry.marker != nil,
                    deleteMarkerVersionID: entry.markerID
                )
            }
        }
        return StoreAnswer(document: result.document())
    }

    func listVersions<Body>(_ bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let query = exchange.request.query
        let limit = exchange.reading.limit("max-keys")
        let prefix = query.first("prefix") ?? []
        let delimiter = query.first("delimiter")
        let keyMarker = query.first("key-marker") ?? []
        let versionMarker = query.first("version-id-marker") ?? []
        guard versionMarker.isEmpty || !keyMarker.isEmpty else {
            throw S3Error(.invalidArgument, "A version-id marker cannot be specified without a key marker.")
        }
        let page = try await store.versions(
            bucket,
            VersionPage.Question(
                listing: ListingQuestion(prefix: prefix, delimiter: delimiter ?? [], after: keyMarker, limit: limit),
                afterVersion: versionMarker.isEmpty ? nil : try VersionName(versionMarker)
            )
        )
        var versions: [VersionListing.Version] = []
        var commonPrefixes: [[UInt8]] = []
        var last: VersionListing.Place?
        for entry in page.entries {
            switch entry {
            case .version(let version):
                versions.append(Self.listed(version))
                last = VersionListing.Place(key: version.key, versionID: version.name.text)
            case .commonPrefix(let prefix):
                commonPrefixes.append(prefix)
                last = VersionListing.Place(key: prefix, versionID: nil)
            }
        }
        let listing = VersionListing(
            bucket: bucket,
            prefix: prefix,
            delimiter: delimiter,
            keyMarker: keyMarker,
            versionIDMarker: versionMarker,
            maxKeys: limit,
            encoding: ListingEncoding(query.first("encoding-type")),
            next: page.isTruncated ? last : nil,
            versions: versions,
            commonPrefixes: commonPrefixes,
            owner: Self.owner
        )
        return StoreAnswer(document: listing.document())
    }

    private static func listed(_ version: VersionPage.Version) -> VersionListing.Version {
        VersionListing.Version(
            key: version.key,
            id: version.name.text,
            isLatest: version.isLatest,
            modified: version.modified,
            kind: version.isMarker
                ? .deleteMarker
                : .object(
                    size: version.size,
                    etag: "\"\(version.etag)\"",
                    storageClass: version.storageClass ?? "STANDARD"
                )
        )
    }
}
