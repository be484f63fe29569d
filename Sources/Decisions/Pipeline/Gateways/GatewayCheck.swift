import Admission
import HTTP1
import S3API
import WireFormats

/// A gateway's question, read: the request its client sent, and the same with the path that names bucket and key.
///
/// Between us, the gateway and the store a path is read three times, by three programs. What any of them might read
/// differently is refused here, so that what was decided about is what will be served.
struct GatewayCheck {
    let dialect: GatewayDialect
    /// What the client's credential is verified against.
    let original: Asking
    /// What it is about: without `strip_prefix`.
    let stripped: Asking

    init(
        _ dialect: GatewayDialect,
        _ rest: ArraySlice<UInt8>,
        _ head: RequestHead,
        _ facts: ConnectionFacts,
        under snapshot: Snapshot,
        knowing state: KnownState,
        asking authorizer: any Authorizer,
        at now: Instant,
        requestID: RequestID
    ) throws(Refusal) {
        let server = snapshot.server
        let request = try dialect.clientRequest(
            in: head,
            rest: rest,
            maxTargetBytes: server.headLimits.maxTargetBytes
        )
        let origin = RequestOrigin(of: request, askedAboutBy: head, facts, trusted: server.trustedProxies)
        try Self.checkFields(request.fields)
        try Self.checkPath(request.path)
        let path = try Self.stripped(request.path, of: snapshot.gateways.stripPrefix)
        self.dialect = dialect
        original = Asking(
            head: request,
            origin: origin,
            snapshot: snapshot,
            authorizer: authorizer,
            now: now,
            requestID: requestID,
            state: state
        )
        stripped = Asking(
            head: RequestHead(
                method: request.method,
                path: Array(path),
                query: request.query,
                fields: request.fields,
                framing: request.framing,
                host: request.host
            ),
            origin: origin,
            snapshot: snapshot,
            authorizer: authorizer,
            now: now,
            requestID: requestID,
            state: state
        )
    }

    private static func stripped(_ path: [UInt8], of prefix: [UInt8]) throws(Refusal) -> ArraySlice<UInt8> {
        guard !prefix.isEmpty else {
            try checkBucket(path[...])
            return path[...]
        }
        guard path.starts(with: prefix) else { throw .gateway("the path lies outside of strip_prefix") }
        let rest = path[prefix.count...]
        guard rest.first == UInt8(ascii: "/") else {
            throw .gateway(
                rest.isEmpty ? "the path names no bucket" : "the path lies outside of strip_prefix"
            )
        }
        try checkBucket(rest)
        return rest
    }

    /// A bucket's name needs no escape; gateways that route by it read the path as it came.
    private static func checkBucket(_ path: ArraySlice<UInt8>) throws(Refusal) {
        guard !path.dropFirst().prefix(while: { $0 != UInt8(ascii: "/") }).contains(UInt8(ascii: "%")) else {
            throw .gateway("the bucket's name is percent-encoded")
        }
    }

    /// What makes another request of it, at the store or before, and no signature of ours covers; the gateway would carry it
    /// along.
    private static func checkFields(_ fields: FieldBlock) throws(Refusal) {
        for entry in fields.entries {
            guard !vendorPrefixes.contains(where: { fields.hasPrefix(entry, $0) }) else {
                throw .gateway("a field of another kind of storage")
            }
            guard !methodOverrides.contains(where: { fields.isNamed(entry, $0) }) else {
                throw .gateway("a field that names another method")
            }
        }
    }

    /// Of Google's, Azure's, Alibaba's, Huawei's and Tencent's storage, and MinIO's own.
    private static let vendorPrefixes: [StaticString] = [
        "x-goog-", "x-ms-", "x-oss-", "x-obs-", "x-cos-", "x-minio-",
    ]
    private static let methodOverrides: [StaticString] = [
        "x-http-method-override", "x-http-method", "x-method-override",
    ]

    private static func checkPath(_ path: [UInt8]) throws(Refusal) {
        var decoded = path
        if path.contains(UInt8(ascii: "%")) {
            do { decoded = try PercentEncoding.decode(path) } catch {
                throw .gateway("the path is not properly encoded")
            }
        }
        guard !decoded.contains(UInt8(ascii: "\\")) else { throw .gateway("a backslash in the path") }
        guard !decoded.contains(0) else { throw .gateway("a NUL in the path") }
        // Some stores take what follows a semicolon for parameters of the segment.
        var start = 1
        while start <= decoded.count {
            let end = decoded[start...].firstIndex(of: UInt8(ascii: "/")) ?? decoded.count
            let segment = decoded[start..<end].prefix { $0 != UInt8(ascii: ";") }
            guard !segment.elementsEqual(".".utf8), !segment.elementsEqual("..".utf8) else {
                throw .gateway("a dot segment in the path")
            }
            start = end + 1
        }
    }

    /// Nothing of the query may be a credential: it would travel on to the store, and into its logs.
    func checkQuery(_ query: Query) throws(Refusal) {
        guard !query.isEmpty else { return }
        try query.forEach { (name, _, _) throws(Refusal) in
            let lower = name.map { lowered($0) }
            guard !lower.starts(with: "x-amz-".utf8), !lower.elementsEqual("signature".utf8),
                !lower.elementsEqual("awsaccesskeyid".utf8)
            else { throw .gateway("a presigned query is not forwarded") }
            guard !lower.elementsEqual("gh-link".utf8) else { throw .gateway("a link is not forwarded") }
        }
    }
}

extension RequestOrigin {
    /// Of a request that another gateway asks about. The address is known where the gateway is a trusted proxy that says
    /// it; the gateway's own address is nobody's, but what fails is counted by it where no other is known.
    fileprivate init(
        of request: RequestHead,
        askedAboutBy check: RequestHead,
        _ facts: ConnectionFacts,
        trusted: [CIDR]
    ) {
        guard let peer = facts.peer, trusted.contains(where: { $0.contains(peer) }) else {
            self.init(client: nil, peer: facts.peer, isSecure: false, host: request.host)
            return
        }
        let told = RequestOrigin(check, facts, trusted: trusted)
        self.init(
            client: check.fields.count(of: "x-forwarded-for") > 0 ? told.client : nil,
            peer: peer,
            isSecure: told.isSecure,
            host: request.host
        )
    }
}
