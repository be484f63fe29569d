public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension S3Backend {
    /// The document of a DeleteObjects for the store: these entries, under its keys. To be sent as
    /// ``OutgoingBody/rewritten(_:)``.
    public func deleteDocument(_ entries: [DeleteRequest.Entry]) throws(S3Error) -> [UInt8] {
        var stored: [DeleteRequest.Entry] = []
        stored.reserveCapacity(entries.count)
        for entry in entries {
            stored.append(
                DeleteRequest.Entry(
                    key: try self.stored(entry.key),
                    versionID: entry.versionID,
                    conditions: entry.conditions
                )
            )
        }
        // Never quiet: the answer to the client is put together from what the store says of each key.
        return DeleteRequest(entries: stored, quiet: false).document()
    }

    /// The body of a CreateBucket for the store: its own region, whichever the client named. Empty for us-east-1, which
    /// S3 wants unsaid. To be sent as ``OutgoingBody/rewritten(_:)``.
    public func createBucketDocument() -> [UInt8] {
        guard region != "us-east-1" else { return [] }
        return XMLNode(
            name: "CreateBucketConfiguration",
            children: [XMLNode(name: "LocationConstraint", text: region)]
        ).document()
    }

    /// Asks the store, as a browser would, what its own rules say of a request of another origin. Unsigned, as such
    /// questions are.
    ///
    /// - Parameter headers: the names of fields, as the browser listed them; nil: it listed none.
    /// - Throws: `KeyTooLongError`.
    public func preflightRequest(
        for address: S3Address,
        origin: [UInt8],
        method: [UInt8],
        headers: [UInt8]?
    ) throws(S3Error) -> OutgoingRequest {
        var outgoing = OutgoingRequest(method: .options, path: try path(of: address), query: [])
        outgoing.fields.append("host", host)
        outgoing.fields.append("origin", origin)
        outgoing.fields.append("access-control-request-method", method)
        if let headers { outgoing.fields.append("access-control-request-headers", headers) }
        return outgoing
    }

    /// Asks the store for its buckets, a page at a time. The answer is a ``S3API/BucketList``.
    public func listBucketsRequest(continuationToken: String? = nil, at now: Instant) -> OutgoingRequest {
        var query = Query()
        if let continuationToken {
            query.append("continuation-token".utf8, continuationToken.utf8)
        }
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        var outgoing = OutgoingRequest(method: .get, path: [UInt8(ascii: "/")], query: text)
        outgoing.fields.append("host", endpoint.authority)
        signer?.sign(&outgoing, payload: .empty, at: now)
        return outgoing
    }
}
