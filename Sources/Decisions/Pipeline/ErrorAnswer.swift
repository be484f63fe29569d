public import HTTP1
public import S3API
public import WireFormats

/// How one client reads errors: S3's XML, or JSON, decided by the credential it presents even where that turns out to be
/// worthless; an explicit `Accept` overrides.
public struct ErrorAnswer: Sendable {
    private var format: AcceptedForm
    private let address: S3Address?
    private let isHead: Bool
    private let region: String
    private let takesTokens: Bool
    /// A path of Gatehouse's own; nil: an address of S3.
    private let ownPath: [UInt8]?

    /// Of a request as it came, for who does not know more of it.
    ///
    /// - Parameter isOfRoute: its path is a route's.
    public init(_ head: RequestHead, from facts: ConnectionFacts, under snapshot: Snapshot, isOfRoute: Bool) {
        let origin = RequestOrigin(head, facts, trusted: snapshot.server.trustedProxies)
        self.init(head, on: origin.host, under: snapshot, ownPath: isOfRoute ? head.path : nil)
    }

    /// - Parameters:
    ///   - host: the one that names the bucket.
    ///   - routePath: the path where it is a route's.
    init(_ head: RequestHead, on host: [UInt8], under snapshot: Snapshot, ownPath routePath: [UInt8]? = nil) {
        let server = snapshot.server
        address =
            routePath != nil
            ? nil
            : (try? S3Address.locate(
                host: host,
                path: head.path,
                domains: server.domains,
                rules: server.keyRules
            ))?.address
        isHead = head.method == .head
        region = server.region
        takesTokens = snapshot.takesTokens
        ownPath = routePath ?? (address == nil && ReservedPath.isReserved(head.path) ? head.path : nil)
        format = Self.format(head, address)
    }

    /// The same as S3's document, whatever the client reads otherwise.
    var asDocument: ErrorAnswer {
        var answer = self
        answer.format = .xml
        return answer
    }

    private static func format(_ head: RequestHead, _ address: S3Address?) -> AcceptedForm {
        if let form = AcceptedForm(head.fields) { return form }
        // The JSON API and what else is asked of Gatehouse itself.
        if address == nil, ReservedPath.isReserved(head.path) { return .json }
        let query = head.query.flatMap { try? Query(parsing: $0) }
        if let query, query.contains("gh-link") { return .json }
        if head.method == .get, let address, isListing(address, query) { return .xml }
        if head.fields.first("x-api-key") != nil { return .json }
        guard let authorization = head.fields.first("authorization") else { return .xml }
        let isBearer = zip(authorization, "bearer".utf8).allSatisfy { lowered($0) == $1 } && authorization.count > 5
        return isBearer ? .json : .xml
    }

    /// Buckets, the keys of one, or the parts of an upload.
    private static func isListing(_ address: S3Address, _ query: Query?) -> Bool {
        address.key == nil || query?.contains("uploadId") ?? false
    }

    /// - Parameter details: further elements of S3's document.
    public func reply(
        _ error: S3Error,
        details: [(name: StaticString, value: String)] = [],
        requestID: RequestID
    ) -> Reply {
        let region = error.code == .authorizationHeaderMalformed && region != "*" ? region : nil
        return reply(
            code: error.code.name,
            message: error.message,
            status: error.status,
            retryAfter: error.retryAfter,
            region: region,
            details: details,
            requestID: requestID
        )
    }

    /// An error by its code: ours, or a store's in the client's terms. The answer to a HEAD has no body: its status says
    /// all that it can.
    func reply(
        code: String,
        message: String,
        status: Int,
        retryAfter: Int?,
        region: String? = nil,
        details: [(name: StaticString, value: String)] = [],
        requestID: RequestID
    ) -> Reply {
        var fields = FieldBlock(reservingBytes: 128, fields: 4)
        if let retryAfter { fields.append("retry-after", String(retryAfter)) }
        if ownPath != nil { fields.append("cache-control", "no-store") }
        if status == 401 { Challenge.append(to: &fields, code: code, takesTokens: takesTokens) }
        var reply = Reply(status: status, fields: fields)
        reply.error = (code, message)
        guard !isHead, status != 304 else { return reply }
        let id = requestID.description
        switch format {
        case .xml:
            reply.fields.append("content-type", "application/xml")
            reply.body = ErrorDocument.xml(
                code: code,
                message: message,
                resource: resource,
                requestID: id,
                region: region,
                details: details,
                about: ownPath == nil ? .s3 : .otherPath
            )
        case .json:
            reply.fields.append("content-type", "application/json")
            reply.body = ErrorDocument.json(code: code, message: message, resource: resource, requestID: id)
        }
        return reply
    }

    private var resource: [UInt8] {
        switch address {
        case .object(let bucket, let key): Array("/\(bucket)/".utf8) + key.bytes
        case .bucket(let bucket): Array("/\(bucket)".utf8)
        case .service, nil: ownPath ?? [UInt8(ascii: "/")]
        }
    }

    /// The answer to what is not a request, in S3's form: nobody can know who sent it.
    public static func reply(to refusal: HTTPRefusal, requestID: RequestID) -> Reply {
        var fields = FieldBlock(reservingBytes: 64, fields: 1)
        fields.append("content-type", "application/xml")
        let body = ErrorDocument.xml(
            code: "InvalidRequest",
            message: "The request could not be read: \(refusal.reason).",
            resource: [UInt8(ascii: "/")],
            requestID: requestID.description
        )
        return Reply(status: refusal.status, fields: fields, body: body)
    }
}
