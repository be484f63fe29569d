import Admission
import HTTP1
import Identity
import S3API
import WireFormats

extension Pipeline {
    /// A request to a path of the application's own: who asks is found out by the request as it came, and what is decided
    /// is the object that the route makes of it.
    mutating func plan(
        _ route: Route,
        _ asking: Asking,
        knowing findings: Findings,
        noting notes: inout Decision
    ) throws(Refusal) -> Plan {
        guard let method = Route.Method(asking.head.method), route.methods.contains(method) else {
            notes.reason = S3Error.Code.methodNotAllowed.name
            var reply = asking.reply(S3Error(.methodNotAllowed))
            reply.fields.append("allow", route.allowed)
            return .reply(reply)
        }
        let query = try RouteQuery.checked(asking.head)
        let caller: Authenticated
        switch try authenticate(asking, query, knowing: findings) {
        case .known(let authenticated): caller = authenticated
        case .unverified(let token): return wait(for: token, asking, knowing: findings)
        }
        notes.principal = caller.principal
        notes.remark = caller.remark
        notes.permit = try limit(caller, asking, holding: findings.permit)
        guard caller.principal != .anonymous || route.callers == .everybody else {
            notes.outcome = .denied
            notes.reason = Refusal.credentialNeeded.reason
            return .reply(asking.challenge)
        }
        let located = try Located(route, for: caller, asking)
        notes.bucket = located.address.bucket
        notes.key = located.address.key
        let mapped = asking.mapped(to: located.address)
        let request = try classify(mapped, located)
        guard request.operation == method.operation else {
            throw .request(S3Error(.notImplemented, "Routes read and write single objects."))
        }
        notes.operation = request.operation.metricName
        let admitted = try Admitted(request, by: caller, to: located, mapped)
        notes.hardening = located.bucket?.hardening ?? []
        notes.reason = admitted.reason + "; route \(route.pattern.source)"
        if caller.remark.utf8CodeUnitCount > 0 { notes.reason += "; \(caller.note)" }
        notes.outcome = .allowed
        if let wait = try stillOpen(admitted, mapped, knowing: findings, noting: &notes) { return wait }
        let until = applicationLimit(admitted, mapped, knowing: findings)
        let delivery = RouteDelivery(route, admitted, caller, mapped, until: until, counter: counter)
        let plan = try delivery.plan()
        // What is sent elsewhere takes its uses there, or is refused.
        guard case .forward = plan else { return plan }
        return try counting(admitted, mapped, knowing: findings, noting: &notes) { () throws(Refusal) -> Plan in plan }
    }

    /// For how long what the application allowed may be handed on; nil: it did not say, or nobody asks it.
    private func applicationLimit(_ admitted: Admitted, _ asking: Asking, knowing findings: Findings) -> Instant? {
        guard asking.snapshot.authorizer != nil, let question = admitted.applicationQuestion else { return nil }
        let heard = findings.application.flatMap { $0.question == question ? $0.verdicts : nil }
        let verdicts = heard ?? authorizer.known(question, under: asking.snapshot, at: asking.now)
        // What is not known any more is good for nothing that lasts.
        guard let verdicts else { return asking.now }
        return verdicts.compactMap { if case .allowed(let until) = $0 { until } else { nil } }.min()
    }

    private mutating func authenticate(
        _ asking: Asking,
        _ query: Query,
        knowing findings: Findings
    ) throws(Refusal) -> Authentication {
        let authentication = try authenticateOnOwnPath(asking, query, knowing: findings)
        guard case .known(let caller) = authentication, caller.principal == .anonymous,
            let cookie = try RouteCookie.find(in: asking.head, of: asking.snapshot.identityProviders)
        else { return authentication }
        return try authenticator.authenticate(cookie, asking, knowing: findings, tokens)
    }
}

extension RouteTable {
    /// The route of a request; on virtual hosts there are none.
    func route(of head: RequestHead, on host: [UInt8], _ server: ServerSettings) -> Route? {
        guard let route = route(of: head.path), ReservedPath.isPathStyle(host, server) else { return nil }
        return route
    }
}

/// The query of a request to a route: what belongs to a signature, and what means nothing to S3.
enum RouteQuery {
    /// - Throws: for what S3 would understand and a route does not pass on. Left out, it would make another request of it:
    ///   the upload of a part would replace the object. A PUT takes nothing but a signature.
    static func checked(_ head: RequestHead) throws(Refusal) -> Query {
        guard let raw = head.query, !raw.isEmpty else { return Query() }
        guard let query = try? Query(parsing: raw) else {
            throw .request(S3Error(.invalidURI, "The query is not properly encoded."))
        }
        try query.forEach { (name, _, _) throws(Refusal) in
            guard !isOfSignature(name) else { return }
            guard head.method != .put, !S3Operation.knowsParameter(name) else {
                throw .request(S3Error(.notImplemented, "Routes take no parameters of S3's."))
            }
        }
        return query
    }

    private static func isOfSignature(_ name: ArraySlice<UInt8>) -> Bool {
        names.contains { name.elementsEqual($0.utf8) }
    }

    private static let names = [
        "X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires", "X-Amz-SignedHeaders",
        "X-Amz-Signature", "X-Amz-Security-Token", "X-Amz-Content-Sha256",
    ]
}

extension Route.Method {
    fileprivate var operation: S3Operation {
        switch self {
        case .get: .getObject
        case .head: .headObject
        case .put: .putObject
        }
    }
}

extension Located {
    /// The object that a route means for this caller.
    ///
    /// - Throws: `AccessDenied` where a claim is missing or unusable, or no bucket has a name that came of one.
    convenience init(_ route: Route, for caller: Authenticated, _ asking: Asking) throws(Refusal) {
        let parameters: [String: [UInt8]]
        do {
            parameters = try route.pattern.parameters(of: asking.head.path)
        } catch {
            throw .request(error)
        }
        let name: [UInt8]
        let key: [UInt8]
        do {
            name = try route.bucket.resolved(parameters: parameters, claims: caller.stringClaims)
            key = try route.key.resolved(parameters: parameters, claims: caller.stringClaims)
        } catch {
            throw .denied(reason: "route \(route.pattern.source): \(error.reason)")
        }
        guard let bucket = BucketName(validating: name) else {
            guard route.bucket.needsClaims else { throw .request(S3Error(.invalidBucketName)) }
            throw .denied(reason: "route \(route.pattern.source): what comes of \(route.bucket.source) is no bucket")
        }
        guard !key.isEmpty else { throw .request(S3Error(.invalidURI, "The key is empty.")) }
        do {
            let validated = try ObjectKey(validating: key, rules: asking.snapshot.server.keyRules)
            self.init(bucket, validated, asking)
        } catch {
            throw .request(error)
        }
    }
}

extension Authenticated {
    /// What a token says of the caller; empty for those without one.
    fileprivate var stringClaims: [String: String] {
        if case .token(let identity) = holder { identity.claims } else { [:] }
    }
}

extension TemplateValueRefusal {
    /// For the log: the claim's name, never its value.
    fileprivate var reason: String {
        switch self {
        case .missing(let name): "claim \(name) is missing"
        case .unusable(let name): "claim \(name) can't be used in a name"
        }
    }
}

extension Asking {
    /// The request that S3 would have got for this object: without a query, and without what concerns pages of other
    /// origins, which is ours to say on a path of ours.
    func mapped(to address: S3Address) -> Asking {
        var path: [UInt8] = [UInt8(ascii: "/")]
        if let bucket = address.bucket { path.append(contentsOf: bucket.utf8) }
        if let key = address.key {
            path.append(UInt8(ascii: "/"))
            PercentEncoding.append(key.bytes, to: &path, keepSlash: .keep)
        }
        return with(
            head: RequestHead(
                method: head.method,
                version: head.version,
                path: path,
                fields: head.fields.without("origin"),
                framing: head.framing,
                keepAlive: head.keepAlive,
                expectsContinue: head.expectsContinue,
                host: head.host
            )
        )
    }

    /// The answer to somebody who shows no credential where one is needed.
    fileprivate var challenge: Reply {
        let error = Refusal.credentialNeeded.error
        return errors.reply(
            code: error.code.name,
            message: error.message,
            status: 401,
            retryAfter: nil,
            requestID: requestID
        )
    }
}

extension FieldBlock {
    fileprivate func without(_ name: StaticString) -> FieldBlock {
        guard count(of: name) > 0 else { return self }
        var rest = FieldBlock(reservingBytes: bytes.count, fields: entries.count)
        for entry in entries where !isNamed(entry, name) { rest.append(entry, of: self, lowercasing: .nothing) }
        return rest
    }
}
