import Backends
import HTTP1
import S3API
import WireFormats

/// `max_object_size` for an object in parts: their sum, known when the upload is completed. Before the completion goes to
/// the store, the store is asked for the parts; the completion of an object that would be too large is never sent.
///
/// A part counts only as the store lists it, number and ETag as the client names them: one that is put meanwhile makes
/// the store refuse the completion, whose ETags it holds against its parts.
struct CompletionSize: Sendable {
    /// An object can't be larger in S3 itself: a limit of this much needs no look.
    static let largestObject: Int64 = 5 << 40
    /// A thousand parts with checksums, and the upload's owners.
    private static let pageLimit = 4 << 20

    private let planner: Planner
    private let bucket: Bucket
    private let body: [UInt8]
    private let parts: [CompletionRequest.Part]

    /// - Parameter body: the document of a CompleteMultipartUpload.
    init(_ body: [UInt8], _ planner: Planner, to bucket: Bucket) throws(Refusal) {
        do {
            parts = try CompletionRequest(parsing: body).parts
        } catch {
            throw .request(error)
        }
        self.planner = planner
        self.bucket = bucket
        self.body = body
    }

    private var asking: Asking { planner.asking }

    func plan() throws(Refusal) -> Plan {
        try page(after: 0, counted: 0, bytes: 0)
    }

    /// Asks for the parts after number `marker`; the first `counted` of those named are known to be `bytes` long.
    private func page(after marker: Int, counted: Int, bytes: Int64) throws(Refusal) -> Plan {
        let exchange: Exchange
        do {
            exchange = try listing(after: marker)
        } catch {
            throw .request(error)
        }
        return .forward(forward(exchange, after: marker, counted, bytes))
    }

    private func forward(_ exchange: Exchange, after marker: Int, _ counted: Int, _ bytes: Int64) -> Forward {
        Forward(
            admitted: planner.admitted,
            upstream: bucket.upstream,
            exchange: exchange,
            carrying: .none,
            replay: .allowed,
            answer: { told in
                .collect(limit: Self.pageLimit) { body in
                    planner.replying { () throws(Refusal) in
                        switch StoreAnswer(planner.admitted, asking, bucket.upstream).read(told, body) {
                        case .success(_, let document): try count(document, after: marker, counted, bytes)
                        case .ask(let next): .forward(forward(next, after: marker, counted, bytes))
                        // Completed already, perhaps, and asked again because the answer was lost: the store knows.
                        case .refusal(let refusal) where refusal.status == 404: try completion()
                        case .refusal(let refusal): .reply(refusal)
                        }
                    }
                }
            }
        )
    }

    private func listing(after marker: Int) throws(S3Error) -> Exchange {
        var query = Query()
        query.append("uploadId".utf8, planner.admitted.request.query.first("uploadId") ?? [])
        if marker > 0 { query.append("part-number-marker".utf8, String(marker).utf8) }
        // What a store may want to know for any question about this upload.
        var fields = FieldBlock()
        let sent = asking.head.fields
        for entry in sent.entries
        where sent.hasPrefix(entry, "x-amz-server-side-encryption-customer-")
            || sent.isNamed(entry, "x-amz-expected-bucket-owner") || sent.isNamed(entry, "x-amz-request-payer")
        {
            fields.append(sent.name(entry), sent.value(entry))
        }
        return try bucket.backend.exchange(
            for: S3Request(
                operation: .listParts,
                address: planner.admitted.request.address,
                query: query,
                actions: S3Operation.listParts.actions
            ),
            head: RequestHead(method: .get, path: asking.head.path, fields: fields, host: asking.head.host),
            body: .none,
            copyingFrom: nil,
            view: asking.snapshot.server.view,
            at: asking.now
        )
    }

    private func count(
        _ document: [UInt8],
        after marker: Int,
        _ counted: Int,
        _ bytes: Int64
    ) throws(Refusal) -> Plan {
        guard let listed = ListedParts(parsing: document), listed.next.map({ $0 > marker }) ?? true else {
            throw .request(S3Error(.backendBadAnswer))
        }
        var (counted, bytes) = (counted, bytes)
        for part in parts[counted...] {
            if let next = listed.next, part.number > next { break }
            guard let found = listed.parts[part.number], found.etag == comparable(part.etag) else {
                throw .request(S3Error(.invalidPart))
            }
            guard found.size <= asking.snapshot.server.maxObjectSize - bytes else {
                throw .request(S3Error(.entityTooLarge))
            }
            bytes += found.size
            counted += 1
        }
        guard counted < parts.count, let next = listed.next else { return try completion() }
        return try page(after: next, counted: counted, bytes: bytes)
    }

    private func completion() throws(Refusal) -> Plan {
        .forward(try planner.completion(body, to: bucket))
    }
}

/// A page of a store's ListParts, as far as sizes go.
private struct ListedParts {
    private(set) var parts: [Int: (size: Int64, etag: [UInt8])] = [:]
    /// The number after which the next page begins; nil: this was the last.
    let next: Int?

    /// Nil where the document is none, or says of a part what can't be.
    init?(parsing document: [UInt8]) {
        guard let root = try? XMLReader.parse(document, forbidden: .replaced, maxElements: 200_000),
            root.name == "ListPartsResult"
        else {
            return nil
        }
        for node in root.children(named: "Part") {
            guard let number = node.value("PartNumber").flatMap({ decimal($0.utf8) }), let etag = node.value("ETag"),
                let size = node.value("Size").flatMap({ Int64($0) }), size >= 0,
                parts.updateValue((size, comparable(etag)), forKey: number) == nil
            else { return nil }
        }
        guard root.value("IsTruncated") == "true" else {
            next = nil
            return
        }
        guard let last = root.value("NextPartNumberMarker").flatMap({ decimal($0.utf8) }) ?? parts.keys.max() else {
            return nil
        }
        next = last
    }
}

/// An ETag without its quotation marks, which clients may leave out.
private func comparable(_ etag: String) -> [UInt8] {
    etag.utf8.filter { $0 != UInt8(ascii: "\"") }
}
