import HTTP1
import NIOCore
import S3API
import WireFormats

/// The operations on one object.
extension StoreResponder {
    func getObject<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let reading = exchange.reading
        let overrides = try Self.overrides(exchange.request.query)
        let isHead = exchange.request.operation == .headObject
        let version = try exchange.version()
        var lookup = try await store.find(
            bucket,
            key,
            version: version,
            try reading.selection(),
            if: reading.conditions
        )
        if let condition = reading.head.fields.first("if-range"), !Self.isCurrent(lookup, condition) {
            lookup = try await store.find(bucket, key, version: version, .whole, if: reading.conditions)
        }
        switch lookup {
        case .notModified(let object):
            var answer = StoreAnswer(304)
            Self.appendValidators(of: object, to: &answer.fields)
            return answer
        case .conditionFailed:
            throw S3Error(.preconditionFailed)
        case .unsatisfiable(let size):
            throw UnsatisfiableRange(size: size)
        case .found(let found):
            let size = found.object.size
            let range = found.reader.range
            let isPartial = found.isPartial && size > 0
            var answer = StoreAnswer(
                isPartial ? 206 : 200,
                isHead ? .announced(Int64(range.count)) : .content(found.reader)
            )
            Self.appendValidators(of: found.object, to: &answer.fields)
            answer.fields.append("accept-ranges", "bytes")
            if isPartial {
                answer.fields.append("content-range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(size)")
            }
            if let count = found.partCount { answer.fields.append("x-amz-mp-parts-count", String(count)) }
            let wantsChecksum =
                reading.head.fields.first("x-amz-checksum-mode")
                .map { $0.map(lowered).elementsEqual("enabled".utf8) } ?? false
            Self.append(
                found.object.fields,
                overridden: overrides,
                checksums: wantsChecksum && !isPartial,
                to: &answer.fields
            )
            return answer
        }
    }

    /// Whether `If-Range` names the object as it is: a strong tag, or its exact date (RFC 9110, section 13.1.5).
    private static func isCurrent(_ lookup: Lookup, _ condition: ArraySlice<UInt8>) -> Bool {
        guard case .found(let found) = lookup else { return !lookup.isUnsatisfiable }
        if let date = Timestamp.parseHTTP(condition) {
            return date.secondsSince1970 == found.object.modified.secondsSince1970
        }
        return ETagCondition.unquoted(condition).elementsEqual(found.object.etag.utf8)
    }

    private static func appendValidators(of object: StoredObject, to fields: inout FieldBlock) {
        fields.append("etag", "\"\(object.etag)\"")
        fields.append("last-modified", Timestamp.http(object.modified))
        if let id = object.versionID { fields.append("x-amz-version-id", id) }
    }

    private static func append(
        _ stored: StoredFields,
        overridden: [(name: StaticString, value: [UInt8])],
        checksums: Bool,
        to fields: inout FieldBlock
    ) {
        for item in stored.items {
            if item.name.starts(with: "x-amz-".utf8) {
                guard checksums || !item.name.starts(with: "x-amz-checksum-".utf8) else { continue }
                if item.name.elementsEqual("x-amz-tagging".utf8) {
                    fields.append("x-amz-tagging-count", String(item.value.count { $0 == UInt8(ascii: "&") } + 1))
                    continue
                }
            }
            let isOverridden = overridden.contains { override in
                override.name.withUTF8Buffer { item.name.elementsEqual($0) }
            }
            if !isOverridden { fields.append(item.name, item.value) }
        }
        for override in overridden { fields.append(override.name, override.value) }
        if fields.first("content-type") == nil { fields.append("content-type", "binary/octet-stream") }
    }

    /// The headers that `response-...` parameters replace.
    /// - Throws: `InvalidArgument` for a value that no header can have.
    private static func overrides(_ query: Query) throws(S3Error) -> [(name: StaticString, value: [UInt8])] {
        let parameters: [(StaticString, StaticString)] = [
            ("response-content-type", "content-type"), ("response-cache-control", "cache-control"),
            ("response-content-disposition", "content-disposition"),
            ("response-content-encoding", "content-encoding"), ("response-content-language", "content-language"),
            ("response-expires", "expires"),
        ]
        guard !query.isEmpty else { return [] }
        var overrides: [(name: StaticString, value: [UInt8])] = []
        for (parameter, name) in parameters {
            guard let value = query.first(parameter) else { continue }
            guard value.allSatisfy({ $0 > 0x1F && $0 != 0x7F }), isUTF8(value) else {
                throw S3Error(.invalidArgument, "\(parameter) contains what a header can't.")
            }
            overrides.append((name, value))
        }
        return overrides
    }

    func putObject<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let reading = exchange.reading
        let object = try await store.put(
            bucket,
            key,
            exchange.body,
            try reading.claims(exchange.payload),
            fields: try reading.storedFields(),
            if: reading.conditions
        )
        var answer = StoreAnswer(200)
        answer.fields.append("etag", "\"\(object.etag)\"")
        if let checksum = object.checksum {
            answer.fields.append(checksum.algorithm.header, checksum.value)
            if let type = checksum.type { answer.fields.append("x-amz-checksum-type", type) }
        }
        answer.appendVersion(object.versionID)
        return answer
    }

    func copyObject<Body>(
        _ bucket: BucketName,
        _ key: ObjectKey,
        _ exchange: Exchange<Body>
    ) async throws -> StoreAnswer {
        let reading = exchange.reading
        guard let source = exchange.request.copySource else { throw S3Error(.invalidRequest) }
        let directive = reading.head.fields.string("x-amz-metadata-directive") ?? "COPY"
        guard directive == "COPY" || directive == "REPLACE" else {
            throw S3Error(.invalidArgument, "Unknown metadata directive.")
        }
        let taggingDirective = reading.head.fields.string("x-amz-tagging-directive") ?? "COPY"
        guard taggingDirective == "COPY" || taggingDirective == "REPLACE" else {
            throw S3Error(.invalidArgument, "Unknown tagging directive.")
        }
        let changesNothing =
            directive == "COPY" && source.versionID == nil
            && reading.head.fields.first("x-amz-storage-class") == nil
        guard !changesNothing || source.bucket != bucket || source.key != key else {
            throw S3Error(
                .invalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                    + "object's metadata, storage class, website redirect location or encryption attributes."
            )
        }
        let sent = try reading.storedFields()
        let (object, original) = try await store.copy(
            from: try exchange.source(source),
            to: (bucket, key),
            algorithm: try reading.namedAlgorithm(),
            if: reading.conditions
        ) { kept in
            var fields = directive == "REPLACE" ? sent : kept
            fields.set("x-amz-tagging", (taggingDirective == "REPLACE" ? sent : kept).first("x-amz-tagging"))
            fields.set("x-amz-storage-class", sent.first("x-amz-storage-class"))
            return fields
        }
        var answer = StoreAnswer(
            document: UploadResults.copied(
                etag: "\"\(object.etag)\"",
                modified: object.modified,
                checksum: object.checksum.map { (element: $0.algorithm.element, value: $0.value) }
            )
        )
        answer.appendVersion(object.versionID)
        if let id = original.versionID { answer.fields.append("x-amz-copy-source-version-id", id) }
        return answer
    }
}

extension StoreResponder.Exchange {
    /// What a copy reads.
    /// - Throws: `InvalidArgument` for a version id that the store has never given.
    func source(_ source: CopySource) throws(S3Error) -> ObjectSource {
        var version: VersionName?
        if let id = source.versionID { version = try VersionName(id) }
        return ObjectSource(
            bucket: source.bucket,
            key: source.key,
            version: version,
            conditions: reading.copySourceConditions
        )
    }
}

extension Lookup {
    var isUnsatisfiable: Bool {
        if case .unsatisfiable = self { true } else { false }
    }
}
