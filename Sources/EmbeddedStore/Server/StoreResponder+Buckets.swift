import HTTP1
import NIOCore
import S3API
import WireFormats

/// The operations on the service and on buckets, listings among them.
extension StoreResponder {
    func listBuckets<Body>(_ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let prefix = exchange.request.query.first("prefix") ?? []
        let entries = try await store.buckets()
            .filter { $0.name.utf8.starts(with: prefix) }
            .map { BucketList.Entry(name: $0.name, created: $0.created) }
        return StoreAnswer(document: BucketList(entries: entries, owner: Self.owner).document())
    }

    func headBucket(_ bucket: BucketName) async throws -> StoreAnswer {
        try await store.requireBucket(bucket)
        var answer = StoreAnswer(200)
        answer.fields.append("x-amz-bucket-region", region)
        return answer
    }

    func location(of bucket: BucketName) async throws -> StoreAnswer {
        try await store.requireBucket(bucket)
        return StoreAnswer(document: UploadResults.location(region: region))
    }

    /// A location in the document is accepted, whichever it names: there is only this one.
    func createBucket<Body>(_ bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let document = try await collect(exchange)
        if !document.isEmpty { _ = try readRequestDocument(document, root: "CreateBucketConfiguration") }
        try await store.createBucket(bucket)
        var answer = StoreAnswer(200)
        answer.fields.append("location", "/" + bucket.string)
        return answer
    }

    func listObjects<Body>(_ bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let query = exchange.request.query
        let marker = query.first("marker") ?? []
        let page = try await page(bucket, exchange, after: marker)
        let next = page.isTruncated ? page.entries.last?.name : nil
        return listing(bucket, exchange, page, .v1(marker: marker, next: next), owner: Self.owner)
    }

    func listObjectsV2<Body>(_ bucket: BucketName, _ exchange: Exchange<Body>) async throws -> StoreAnswer {
        let query = exchange.request.query
        let startAfter = query.first("start-after")
        let token = query.first("continuation-token")
        let after = try token.map { try Self.place(of: $0) } ?? startAfter ?? []
        let page = try await page(bucket, exchange, after: after)
        let next = page.isTruncated ? page.entries.last.map { Self.token(for: $0.name) } : nil
        let wantsOwner = query.first("fetch-owner").map { $0.elementsEqual("true".utf8) } ?? false
        let paging = ObjectListing.Paging.v2(continuationToken: token, startAfter: startAfter, next: next)
        return listing(bucket, exchange, page, paging, owner: wantsOwner ? Self.owner : nil)
    }

    /// A continuation token: a version byte and the last entry of the page before, in base 64 of the URL alphabet.
    static func token(for name: [UInt8]) -> String { Base64URL.encode([1] + name) }

    /// - Throws: `InvalidArgument` for a token that the store did not give.
    static func place(of token: [UInt8]) throws(S3Error) -> [UInt8] {
        guard let bytes = Base64URL.decode(token), bytes.first == 1 else {
            throw S3Error(.invalidArgument, "The continuation token provided is incorrect")
        }
        return Array(bytes.dropFirst())
    }

    private func page<Body>(
        _ bucket: BucketName,
        _ exchange: Exchange<Body>,
        after: [UInt8]
    ) async throws -> ListingPage {
        let query = exchange.request.query
        return try await store.list(
            bucket,
            ListingQuestion(
                prefix: query.first("prefix") ?? [],
                delimiter: query.first("delimiter") ?? [],
                after: after,
                limit: exchange.reading.limit("max-keys")
            )
        )
    }

    private func listing<Body>(
        _ bucket: BucketName,
        _ exchange: Exchange<Body>,
        _ page: ListingPage,
        _ paging: ObjectListing.Paging,
        owner: String?
    ) -> StoreAnswer {
        var objects: [ObjectListing.Object] = []
        var commonPrefixes: [[UInt8]] = []
        for entry in page.entries {
            switch entry {
            case .object(let key, let size, let etag, let modified, let storageClass):
                objects.append(
                    ObjectListing.Object(
                        key: key,
                        size: size,
                        etag: "\"\(etag)\"",
                        modified: modified,
                        storageClass: storageClass ?? "STANDARD",
                        owner: owner
                    )
                )
            case .commonPrefix(let prefix):
                commonPrefixes.append(prefix)
            }
        }
        let query = exchange.request.query
        let document = ObjectListing(
            bucket: bucket,
            prefix: query.first("prefix") ?? [],
            delimiter: query.first("delimiter"),
            maxKeys: exchange.reading.limit("max-keys"),
            encoding: ListingEncoding(query.first("encoding-type")),
            paging: paging,
            isTruncated: page.isTruncated,
            objects: objects,
            commonPrefixes: commonPrefixes
        )
        return StoreAnswer(document: document.document())
    }
}
