import Backends
import HTTP1
import Identity
import S3API
import Signatures

/// What a gateway adds to an admitted request so that the store accepts it: a signature that holds for this method,
/// path, query and these fields, and for nothing else.
struct GatewaySignature {
    private let signed: OutgoingRequest
    /// Of its fields those that the gateway has to add.
    private let added: [StaticString]

    /// A browser's question about a store's own rules: nothing is signed, and nobody needs to be known.
    ///
    /// - Throws: a denial where it is not the store that answers it.
    init(_ question: CORSConfiguration.Preflight, _ located: Located) throws(Refusal) {
        guard let bucket = located.bucket, bucket.kind == .s3, let store = bucket.backend as? S3Backend,
            case .tcp = store.endpoint.address
        else {
            throw .gateway("no other gateway reaches this bucket's store")
        }
        guard bucket.crossOrigin == nil else {
            throw .gateway("this bucket's rules for other origins are not its store's")
        }
        do {
            signed = try store.preflightRequest(
                for: located.address,
                origin: question.origin,
                method: question.method,
                headers: question.headerList
            )
        } catch {
            throw .request(error)
        }
        added = []
    }

    /// - Throws: a denial for what only Gatehouse itself can carry.
    init(_ admitted: Admitted, _ asking: Asking) throws(Refusal) {
        guard let bucket = admitted.bucket else { throw .gateway("the list of buckets is no store's") }
        guard bucket.kind != .file, case .tcp = bucket.backend.endpoint.address else {
            throw .gateway("no other gateway reaches this bucket's store")
        }
        try Planner(admitted, asking).guardCarried(bucket)
        try Self.check(admitted, asking, at: bucket)
        let request: GatewayRequest?
        do {
            request = try bucket.backend.gatewayRequest(
                for: admitted.request,
                head: asking.head,
                // What the client said of its body the store may hold it to.
                payload: admitted.payload,
                at: asking.now
            )
        } catch {
            throw .request(error)
        }
        guard let request else { throw .gateway("requests to this bucket's store are not signed") }
        (signed, added) = (request.signed, request.added)
    }

    private static func check(_ admitted: Admitted, _ asking: Asking, at bucket: Bucket) throws(Refusal) {
        let operation = admitted.request.operation
        guard admitted.request.copySource == nil else { throw .gateway("a copy's source has another name there") }
        if case .chunked = admitted.payload { throw .gateway("a signed chunked body is not forwarded") }
        switch operation.bodyHandling {
        case .none: break
        case .stream: try checkLength(asking)
        case .collect:
            // Of the documents this one alone decides nothing, unless sizes have to be added up.
            guard operation == .completeMultipartUpload,
                asking.snapshot.server.maxObjectSize >= CompletionSize.largestObject
            else { throw .gateway("the body has to be read") }
        }
        guard operation != .postObject else { throw .gateway("the form has to be read") }
        guard bucket.backend.prefix.isEmpty || !operation.listsKeys else {
            throw .gateway("a listing behind a prefix has to be rewritten")
        }
        guard operation != .getBucketPolicy else { throw .gateway("a policy names the store's bucket") }
    }

    private static func checkLength(_ asking: Asking) throws(Refusal) {
        let limit = asking.snapshot.server.maxObjectSize
        guard asking.head.fields.count(of: "content-length") > 0, case .length(let length) = asking.head.framing else {
            guard limit >= CompletionSize.largestObject else {
                throw .gateway("max_object_size is set, and the gateway does not say how long the body is")
            }
            return
        }
        guard length <= limit else { throw .request(S3Error(.entityTooLarge)) }
    }

    /// The answer that lets the request pass.
    func reply(_ dialect: GatewayDialect) -> Reply {
        var reply = Reply(status: 200, fields: FieldBlock(reservingBytes: 1024, fields: 8))
        for entry in signed.fields.entries {
            if signed.fields.isNamed(entry, "host") {
                reply.fields.append("x-gatehouse-upstream-host", signed.fields.value(entry))
            } else if added.contains(where: { signed.fields.isNamed(entry, $0) }) {
                reply.fields.append(entry, of: signed.fields, lowercasing: .nothing)
            }
        }
        reply.fields.append("x-gatehouse-upstream-path", signed.path)
        if dialect == .envoy {
            // What the client's own signature brought and the store's does not replace.
            var removed = Self.private
            for name in Self.ofSignatures where signed.fields.first(name) == nil {
                removed.append(UInt8(ascii: ","))
                name.withUTF8Buffer { removed.append(contentsOf: $0) }
            }
            reply.fields.append("x-envoy-auth-headers-to-remove", removed)
        }
        reply.fields.append("cache-control", "no-store")
        return reply
    }

    private static let ofSignatures: [StaticString] = ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token"]
    private static let `private` = Array(
        "x-api-key,cookie,proxy-authorization,x-gatehouse-gateway,x-original-content-length,x-forwarded-for".utf8
    )
}

extension Refusal {
    /// As the gateway is told: 401 where nobody is known, else 403; a gateway takes anything else for its own trouble.
    ///
    /// - Parameters:
    ///   - caller: who asked, as far as that is known.
    ///   - takesTokens: there is a provider whose tokens are accepted.
    func gatewayReply(to caller: Principal?, takesTokens: Bool, requestID: String) -> Reply {
        let isUnknown = outcome == .unauthenticated || (outcome == .denied && caller == .anonymous)
        var reply = Reply(status: isUnknown ? 401 : 403)
        reply.error = (error.code.name, error.message)
        if isUnknown { Challenge.append(to: &reply.fields, code: error.code.name, takesTokens: takesTokens) }
        if let retryAfter = error.retryAfter { reply.fields.append("retry-after", String(retryAfter)) }
        reply.fields.append("content-type", "application/json")
        reply.fields.append("cache-control", "no-store")
        reply.body = ErrorDocument.json(
            code: error.code.name,
            message: error.message,
            resource: "/".utf8,
            requestID: requestID
        )
        return reply
    }
}
