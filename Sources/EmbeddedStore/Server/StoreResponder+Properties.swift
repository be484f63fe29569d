import HTTP1
import NIOCore
import S3API
import WireFormats

/// What is kept with an object beside its bytes: tags and attributes.
extension StoreResponder {
    func getTags<Body>(_ bucket: BucketName, _ key: ObjectKey, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let object = try await store.object(bucket, key, try exchange.version())
        let tags = try TagSet(header: object.fields.first("x-amz-tagging") ?? [])
        var answer = StoreAnswer(document: tags.document())
        answer.appendVersion(object.versionID)
        return answer
    }

    func putTags<Body>(_ bucket: BucketName, _ key: ObjectKey, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let tags = try TagSet(parsing: try await collect(exchange), of: .object)
        let kept = tags.tags.isEmpty ? nil : tags.header
        let object = try await store.setTags(kept, of: bucket, key, try exchange.version())
        var answer = StoreAnswer(200)
        answer.appendVersion(object.versionID)
        return answer
    }

    func deleteTags<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let object = try await store.setTags(nil, of: bucket, key, try exchange.version())
        var answer = StoreAnswer(204)
        answer.appendVersion(object.versionID)
        return answer
    }

    func getAttributes<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let fields = exchange.reading.head.fields
        let asked = try ObjectAttributes.asked(fields)
        let limit = min(1000, fields.first("x-amz-max-parts").flatMap { decimal($0) } ?? 1000)
        let marker = fields.first("x-amz-part-number-marker").flatMap { decimal($0) } ?? 0
        let (object, parts, total) = try await store.parts(
            of: bucket,
            key,
            try exchange.version(),
            after: marker,
            limit: limit
        )
        var attributes = ObjectAttributes()
        if asked.contains(.etag) { attributes.etag = object.etag }
        if asked.contains(.objectSize) { attributes.size = object.size }
        if asked.contains(.storageClass) { attributes.storageClass = object.storageClass ?? "STANDARD" }
        if asked.contains(.checksum), let checksum = object.checksum {
            attributes.checksum = ObjectAttributes.Checksum(
                element: checksum.algorithm.element,
                value: checksum.value,
                type: checksum.type
            )
        }
        if asked.contains(.objectParts), total > 0 {
            attributes.parts = Self.listed(
                parts,
                of: object,
                total: total,
                after: marker,
                limit: limit
            )
        }
        var answer = StoreAnswer(document: attributes.document())
        answer.fields.append("last-modified", Timestamp.http(object.modified))
        answer.appendVersion(object.versionID)
        return answer
    }

    private static func listed(
        _ parts: [Segment],
        of object: StoredObject,
        total: Int,
        after marker: Int,
        limit: Int
    ) -> ObjectAttributes.Parts {
        let element = object.checksum?.algorithm.element
        return ObjectAttributes.Parts(
            total: total,
            marker: marker,
            limit: limit,
            isTruncated: marker + parts.count < total,
            parts: parts.enumerated().map { place, part in
                var checksum: ObjectAttributes.Checksum?
                if let element, let digest = part.digest {
                    checksum = ObjectAttributes.Checksum(element: element, value: Base64.encode(digest))
                }
                // The parts of an object are numbered from 1 on without gaps.
                return ObjectAttributes.Part(number: marker + place + 1, size: part.length, checksum: checksum)
            }
        )
    }
}
