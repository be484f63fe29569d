import HTTP1
import NIOCore
import S3API
import WireFormats

/// What a bucket is configured with: versioning, tags, rules for other origins, access control.
extension StoreResponder {
    func getVersioning(of bucket: BucketName) async throws -> StoreAnswer {
        let status: VersioningDocument.Status? =
            switch try await store.versioning(of: bucket) {
            case .never: nil
            case .enabled: .enabled
            case .suspended: .suspended
            }
        return StoreAnswer(document: VersioningDocument.document(status))
    }

    func putVersioning<Body>(of bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let status = try VersioningDocument.status(parsing: try await collect(exchange))
        try await store.set(status == .enabled ? .enabled : .suspended, of: bucket)
        return StoreAnswer(200)
    }

    // MARK: Tags

    func getTags(of bucket: BucketName) async throws -> StoreAnswer {
        guard let document = try await store.document(.tagging, of: bucket) else { throw S3Error(.noSuchTagSet) }
        return StoreAnswer(document: document)
    }

    func putTags<Body>(of bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let tags = try TagSet(parsing: try await collect(exchange), of: .bucket)
        try await store.set(tags.document(), .tagging, of: bucket)
        return StoreAnswer(204)
    }

    func deleteTags(of bucket: BucketName) async throws -> StoreAnswer {
        try await store.set(nil, .tagging, of: bucket)
        return StoreAnswer(204)
    }

    // MARK: Other origins

    func getCORS(of bucket: BucketName) async throws -> StoreAnswer {
        guard let document = try await store.document(.cors, of: bucket) else {
            throw S3Error(.noSuchCORSConfiguration)
        }
        return StoreAnswer(document: document)
    }

    func putCORS<Body>(of bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let configuration = try CORSConfiguration(parsing: try await collect(exchange))
        try await store.set(configuration.document(), .cors, of: bucket)
        return StoreAnswer(200)
    }

    func deleteCORS(of bucket: BucketName) async throws -> StoreAnswer {
        try await store.set(nil, .cors, of: bucket)
        return StoreAnswer(204)
    }

    private func configuration(of bucket: BucketName) async throws -> CORSConfiguration? {
        guard let document = try await store.document(.cors, of: bucket) else { return nil }
        return try CORSConfiguration(parsing: document)
    }

    /// Answers a browser's question before its request. It carries no credential and needs none: what it is told is no
    /// secret.
    func preflight(_ head: RequestHead) async throws -> StoreAnswer {
        let question = try CORSConfiguration.Preflight(head.fields)
        guard let bucket = try S3Address.locate(host: head.host, path: head.path, domains: []).address.bucket,
            let configuration = try await configuration(of: bucket)
        else { throw S3Error(.accessForbidden, "CORSResponse: CORS is not enabled for this bucket.") }
        guard let rule = configuration.rule(for: question) else {
            throw S3Error(
                .accessForbidden,
                "CORSResponse: This CORS request is not allowed. This is usually because the evaluation of Origin, request "
                    + "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
                    + "resource's CORS spec."
            )
        }
        var answer = StoreAnswer(200)
        rule.append(to: &answer.fields, question)
        answer.fields.append("vary", CORSConfiguration.vary.joined(separator: ", "))
        return answer
    }

    /// What an answer says to the page of another origin that asked; nothing where no rule allows it.
    func appendCORS(to fields: inout FieldBlock, _ head: RequestHead, of bucket: BucketName) async {
        guard head.fields.count(of: "origin") == 1, let origin = head.fields.first("origin"),
            let configuration = try? await configuration(of: bucket),
            let rule = configuration.rule(origin: origin, method: head.method.name.utf8)
        else { return }
        rule.append(to: &fields, origin: origin)
        fields.append("vary", CORSConfiguration.vary.joined(separator: ", "))
    }

    // MARK: Access control

    func getACL(of bucket: BucketName) async throws -> StoreAnswer {
        try await store.requireBucket(bucket)
        return StoreAnswer(document: AccessControlDocument.ownedBy(Self.owner))
    }

    /// Accepts what changes nothing; refuses the rest, as S3 does where access control lists are disabled.
    func putACL<Body>(of bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        try await checkACL(exchange)
        try await store.requireBucket(bucket)
        return StoreAnswer(200)
    }

    func getACL<Body>(_ bucket: BucketName, _ key: ObjectKey, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let object = try await store.object(bucket, key, try exchange.version())
        var answer = StoreAnswer(document: AccessControlDocument.ownedBy(Self.owner))
        answer.appendVersion(object.versionID)
        return answer
    }

    func putACL<Body>(_ bucket: BucketName, _ key: ObjectKey, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        try await checkACL(exchange)
        let object = try await store.object(bucket, key, try exchange.version())
        var answer = StoreAnswer(200)
        answer.appendVersion(object.versionID)
        return answer
    }

    private func checkACL<Body>(_ exchange: Exchange<Body>) async throws {
        let document = try await collect(exchange)
        guard document.isEmpty else { return try AccessControlDocument.check(document, owner: Self.owner) }
        // A canned one has been checked with the other fields.
        guard exchange.reading.head.fields.first("x-amz-acl") != nil else { throw S3Error(.missingSecurityHeader) }
    }
}
