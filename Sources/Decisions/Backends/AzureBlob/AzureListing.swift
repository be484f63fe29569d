import HTTP1
import S3API
import WireFormats

/// A page of List Blobs as the store tells it (Microsoft, "List Blobs").
struct AzureListing {
    struct Blob {
        /// At the store.
        let name: [UInt8]
        let etag: String
        let size: Int64
        let modified: Instant
        let tier: String
        let parts: Int?
        /// Of an unfinished upload: the key it is for.
        let key: [UInt8]?
    }

    private(set) var blobs: [Blob] = []
    /// Common prefixes, at the store.
    private(set) var prefixes: [[UInt8]] = []
    /// Nil: nothing follows.
    let next: String?

    /// Nil for what is no such page.
    init?(parsing body: [UInt8]) {
        guard let root = try? XMLReader.parse(body, forbidden: .replaced, maxElements: 200_000),
            root.name == "EnumerationResults", let entries = root.child("Blobs")
        else { return nil }
        for node in entries.children {
            guard let name = Self.name(node) else { return nil }
            switch node.name {
            case "Blob":
                guard let blob = Self.blob(node, name) else { return nil }
                blobs.append(blob)
            case "BlobPrefix": prefixes.append(name)
            default: continue
            }
        }
        let marker = root.value("NextMarker") ?? ""
        next = marker.isEmpty ? nil : marker
    }

    /// Percent-encoded where XML could not hold it.
    private static func name(_ node: XMLNode) -> [UInt8]? {
        guard let name = node.child("Name") else { return nil }
        return name.attributes["Encoded"] == "true"
            ? try? PercentEncoding.decode(name.text.utf8) : Array(name.text.utf8)
    }

    private static func blob(_ node: XMLNode, _ name: [UInt8]) -> Blob? {
        guard let properties = node.child("Properties"), let etag = properties.value("Etag"),
            let size = properties.value("Content-Length").flatMap({ Int64($0) }), size >= 0,
            let modified = properties.value("Last-Modified").flatMap({ Timestamp.parseHTTP($0.utf8) })
        else { return nil }
        let metadata = node.child("Metadata")
        return Blob(
            name: name,
            etag: etag,
            size: size,
            modified: modified,
            tier: properties.value("AccessTier") ?? "",
            parts: metadata?.value(Self.own(AzureMetadata.parts)).flatMap { AzureMetadata.count($0.utf8) },
            key: metadata?.value(Self.own(AzureMetadata.key)).flatMap { Base64URL.decode(Array($0.utf8)) }
        )
    }

    private static func own(_ field: StaticString) -> String { String(field.description.dropFirst("x-ms-meta-".count)) }
}

extension AzureTurn {
    /// How many pages are read to find the place where a listing begins that was not come to by a token.
    private static let mostSkipped = 1000

    /// Where a listing begins.
    private struct Beginning {
        /// The store's.
        var marker: String?
        /// What is shown comes after this name, at the store.
        var after: [UInt8]?
        var skipped = 0
    }

    /// List Blobs, for either version of the operation.
    func listing() throws(S3Error) -> Exchange {
        try page(try beginning())
    }

    private var limit: Int {
        min(request.query.first(Self.limitName(request.operation)).flatMap { decimal($0) } ?? 1000, 1000)
    }

    private static func limitName(_ operation: S3Operation) -> StaticString {
        operation == .listMultipartUploads ? "max-uploads" : "max-keys"
    }

    private func beginning() throws(S3Error) -> Beginning {
        let query = request.query
        if request.operation == .listObjectsV2 {
            if let token = query.first("continuation-token") {
                guard let marker = ContinuationToken(for: request, at: backend).opened(token) else {
                    throw S3Error(.invalidArgument, "The continuation token provided is incorrect")
                }
                return Beginning(marker: String(decoding: marker, as: UTF8.self))
            }
            return Beginning(after: query.first("start-after").flatMap { $0.isEmpty ? nil : backend.prefix + $0 })
        }
        guard let marker = query.first("marker"), !marker.isEmpty else { return Beginning() }
        // A marker that we gave is one of the store's, sealed; any other is a key.
        if let token = ContinuationToken(for: request, at: backend).opened(marker) {
            return Beginning(marker: String(decoding: token, as: UTF8.self))
        }
        return Beginning(after: backend.prefix + marker)
    }

    private func page(_ beginning: Beginning) throws(S3Error) -> Exchange {
        var parameters: [(StaticString, String)] = [
            ("comp", "list"), ("include", "metadata"), ("maxresults", String(max(limit, 1))), ("restype", "container"),
            ("prefix", String(decoding: backend.prefix + (request.listedPrefix ?? []), as: UTF8.self)),
        ]
        if let delimiter = request.listedDelimiter, !delimiter.isEmpty {
            parameters.append(("delimiter", String(decoding: delimiter, as: UTF8.self)))
        }
        if let marker = beginning.marker { parameters.append(("marker", marker)) }
        return Exchange(signed(.get, backend.root, parameters), .none) { [self] head in
            answer(head) { _ in .collect(limit: Self.longAnswer) { body in listed(body, beginning) } }
        }
    }

    private func listed(_ body: [UInt8], _ beginning: Beginning) -> S3CompleteAnswer {
        guard let page = AzureListing(parsing: body) else { return .failure(S3Error(.backendBadAnswer), cause: .store) }
        let blobs = page.blobs.filter { beginning.after?.lexicographicallyPrecedes($0.name) ?? true }
        let prefixes = page.prefixes.filter { isBehind(beginning.after, $0) }
        if blobs.isEmpty, prefixes.isEmpty, beginning.after != nil, let next = page.next, limit > 0 {
            guard beginning.skipped < Self.mostSkipped else {
                return .failure(
                    S3Error(.notImplemented, "Azure can't begin a listing so far in; follow continuation tokens.")
                )
            }
            return asked { () throws(S3Error) in
                try self.page(Beginning(marker: next, after: beginning.after, skipped: beginning.skipped + 1))
            }
        }
        guard limit > 0 else { return .xml(document([], [], next: nil)) }
        return .xml(document(blobs, prefixes, next: page.next))
    }

    /// A common prefix stands for keys some of which may lie behind a marker that it begins.
    private func isBehind(_ marker: [UInt8]?, _ prefix: [UInt8]) -> Bool {
        guard let marker else { return true }
        return marker.lexicographicallyPrecedes(prefix) || (marker.starts(with: prefix) && marker != prefix)
    }

    private func document(_ blobs: [AzureListing.Blob], _ prefixes: [[UInt8]], next: String?) -> [UInt8] {
        let token = next.flatMap { ContinuationToken(for: request, at: backend).sealed($0) }
        let query = request.query
        let paging: ObjectListing.Paging =
            request.operation == .listObjectsV2
            ? .v2(
                continuationToken: query.first("continuation-token"),
                startAfter: query.first("start-after"),
                next: token
            )
            : .v1(marker: query.first("marker") ?? [], next: token.map { Array($0.utf8) })
        let listing = ObjectListing(
            bucket: bucket,
            prefix: request.listedPrefix ?? [],
            delimiter: request.listedDelimiter,
            maxKeys: limit,
            encoding: ListingEncoding(query.first("encoding-type")),
            paging: paging,
            isTruncated: token != nil,
            objects: blobs.compactMap(object).sorted { $0.key.lexicographicallyPrecedes($1.key) },
            commonPrefixes: prefixes.compactMap(commonPrefix).sorted { $0.lexicographicallyPrecedes($1) }
        )
        return listing.document()
    }

    /// The prefix itself may be a blob, which here has no name.
    private func object(_ blob: AzureListing.Blob) -> ObjectListing.Object? {
        guard let key = backend.shown(blob.name), !key.isEmpty, !isHidden(key) else { return nil }
        return ObjectListing.Object(
            key: key,
            size: blob.size,
            etag: AzureETag.shown(blob.etag, parts: blob.parts),
            modified: blob.modified,
            storageClass: blob.tier == "Archive" ? "GLACIER" : "STANDARD"
        )
    }

    /// The folder of unfinished uploads is seen by nobody, nor is the one above it.
    private func commonPrefix(_ prefix: [UInt8]) -> [UInt8]? {
        guard let shown = backend.shown(prefix), !shown.isEmpty, !isHidden(shown),
            !AzureUpload.folder.starts(with: shown)
        else { return nil }
        return shown
    }

    func isHidden(_ key: [UInt8]) -> Bool { backend.hidden.contains { $0.begins(key) } }
}
