public import Admission
public import HTTP1
import Identity
import S3API
import Signatures
public import WireFormats

/// Explains what the pipeline makes of a request. What is decided, and what the client is told, is the pipeline's own
/// decision; its stages are run one by one besides, to keep what each said. Nothing is carried out, counted against a limit,
/// or written down.
public struct Explainer: Sendable {
    private let tokens: any TokenVerifier
    private let authorizer: any Authorizer
    private let grants: GrantSource?
    private let revocations: RevocationBook?

    /// - Parameters:
    ///   - authorizer: the application, which is asked as for a request that is served.
    ///   - grants: what callers were given by others; no use is taken of any.
    ///   - revocations: what was ended before its time; nil: nothing ever is.
    public init(
        tokens: any TokenVerifier,
        authorizer: any Authorizer = NoAuthorizer(),
        grants: GrantSource? = nil,
        revocations: RevocationBook? = nil
    ) {
        self.tokens = tokens
        self.authorizer = authorizer
        self.grants = grants.map { GrantSource(book: $0.book, counter: UsesLookedAt(counter: $0.counter)) }
        self.revocations = revocations
    }

    /// - Parameters:
    ///   - body: what came behind the head, as far as it was captured.
    ///   - otherHosts: names that the client may have used, to be tried where the signature does not match.
    public func explain(
        _ head: RequestHead,
        body: [UInt8]?,
        otherHosts: [String] = [],
        from facts: ConnectionFacts,
        under snapshot: Snapshot,
        at now: Instant
    ) async -> Explanation {
        let origin = RequestOrigin(head, facts, trusted: snapshot.server.trustedProxies)
        let reserved = ReservedPath(head, on: origin.host, of: snapshot.server)
        let route = reserved == nil ? snapshot.routes?.route(of: head, on: origin.host, snapshot.server) : nil
        let sts = route == nil ? STSEntrance(head, reserved, on: origin.host, of: snapshot.server) : nil
        let asking = Asking(
            head: head,
            origin: origin,
            snapshot: snapshot,
            authorizer: authorizer,
            now: now,
            requestID: RequestID(random: 0),
            ownPath: route == nil ? nil : head.path,
            state: KnownState(grants: grants?.book.current, revocations: revocations?.current)
        )
        let isOfGateway = GatewayDialect.find(in: head.path) != nil && snapshot.gateways.isGateway(head, facts)
        var explanation = Explanation(understood: Explanation.Understood(asking, reserved, route, sts))
        if isOfGateway { explanation.understood.kind = .gateway }
        noteForwardedHost(asking, in: &explanation)
        let (decision, findings) = await decide(asking, facts, body)
        explanation.decision = Explanation.Decision(decision)
        do throws(Refusal) {
            if let route, explanation.understood.kind == .route {
                try describe(&explanation, route, asking, body, otherHosts, findings)
            } else {
                try describe(&explanation, asking, body, otherHosts, findings)
            }
        } catch {
            // The stage that refused has said in the decision what the client is told.
        }
        explanation.understood.add(decision)
        noteUnknownHost(asking, in: &explanation)
        explanation.caller = explanation.caller ?? decision.principal.map(\.description)
        if let code = explanation.decision.errorCode, !explanation.findings.contains(where: { $0.code != .note }),
            decision.outcome != .denied
        {
            let words = explanation.decision.errorMessage ?? ""
            let reason = decision.reason.isEmpty || decision.reason == code ? "" : " (\(decision.reason))"
            explanation.findings.append(.init(.refused, "\(code): \(words)\(reason)"))
        }
        if decision.reason.hasPrefix("authorizer") {
            explanation.rules.append(
                "denied by the application that [authorizer] asks, which may veto what all else allows"
            )
        }
        return explanation
    }

    /// The decision that serving comes to, as far as it can without carrying anything out, and what had to be found out.
    private func decide(
        _ asking: Asking,
        _ facts: ConnectionFacts,
        _ body: [UInt8]?
    ) async -> (Decision, Findings) {

        var decision = Decision(plan: Pipeline.undecided)
        var findings = Findings()
        var pipeline = Pipeline(
            limiter: Limiter(),
            tokens: tokens,
            authorizer: authorizer,
            desk: NobodyAtTheDesk(),
            grants: grants,
            revocations: revocations,
            isServing: false
        )
        for _ in 0..<6 {
            decision = pipeline.decide(
                asking.head,
                from: facts,
                knowing: findings,
                under: asking.snapshot,
                at: asking.now,
                requestID: asking.requestID,
                auditIsHealthy: true
            )
            guard !decision.isFinal else { break }
            let next: Plan
            switch decision.plan {
            case .wait(let make): next = await make()
            case .collect(let limit, let then):
                guard let body, body.count <= limit else { return (decision, findings) }
                next = then(body)
            default: return (decision, findings)
            }
            guard case .reconsider(let found) = next else { break }
            findings = found
        }
        return (decision, findings)
    }

    /// What the stages say, in their order, as far as each can be asked.
    private func describe(
        _ explanation: inout Explanation,
        _ asking: Asking,
        _ body: [UInt8]?,
        _ otherHosts: [String],
        _ findings: Findings
    ) throws(Refusal) {
        switch explanation.understood.kind {
        case .probe, .preflight, .description, .provider, .events, .nothing, .route: return
        case .link:
            explanation.credential = Self.link
            return
        case .sts:
            return explanation.findings.append(
                .init(
                    .note,
                    "A request to STS: who asks, and whether that gets a session, is the decision's to say."
                        + (asking.head.method == .post && body == nil
                            ? " What is asked stands in the form, which was not captured." : "")
                )
            )
        case .gateway:
            return explanation.findings.append(
                .init(
                    .note,
                    "Another gateway asks about a request of its own: what is decided is its question. To see what was "
                        + "signed for it, give the request that the gateway received, without its prefix."
                )
            )
        case .api:
            guard let query = try? Query(parsing: asking.head.query ?? []) else {
                throw .request(S3Error(.invalidURI))
            }
            let server = asking.snapshot.server
            let caller = authenticate(asking, query, .own, findings, body, otherHosts, nil, in: &explanation) {
                ReservedPath.isPathStyle($0, server)
            }
            if caller != nil, explanation.decision.errorCode == nil {
                explanation.decision.reason =
                    "what a call may do is decided where it is answered, by what its body names"
            }
            return
        case .s3, .form: break
        }
        let located = try Located(asking)
        explanation.understood.add(located)
        if LinkRequest(located) != nil {
            explanation.understood.kind = .link
            explanation.credential = Self.link
            return
        }
        if (try? FormUpload.reader(asking, located)) != nil, asking.head.method == .post {
            explanation.understood.kind = .form
            explanation.findings.append(
                .init(
                    .note,
                    "A browser's form: who sends it and what it may do stands in its fields, which are not read."
                )
            )
            return
        }
        let style = located.style == .virtualHost ? located.address.bucket?.string : nil
        let caller = authenticate(
            asking,
            located.query,
            .s3(bucketInHost: style),
            findings,
            body,
            otherHosts,
            located,
            in: &explanation
        ) { located.isSame(under: $0, asking) }
        let request: S3Request
        do {
            request = try S3Classifier.classify(
                asking.head,
                located.address,
                located.query,
                rules: asking.snapshot.server.keyRules
            )
        } catch {
            // Serving stops at the caller where that is not known.
            if caller == nil { return }
            throw .request(error)
        }
        explanation.understood.add(request)
        if let caller { explanation.rules = RuleWords(request, caller, located, asking).lines }
    }

    /// The same for a path of the application's own: the object is known when the caller is.
    private func describe(
        _ explanation: inout Explanation,
        _ route: Route,
        _ asking: Asking,
        _ body: [UInt8]?,
        _ otherHosts: [String],
        _ findings: Findings
    ) throws(Refusal) {
        let query = try RouteQuery.checked(asking.head)
        let server = asking.snapshot.server
        var known = authenticate(asking, query, .own, findings, body, otherHosts, nil, in: &explanation) {
            ReservedPath.isPathStyle($0, server)
        }
        if known?.principal == .anonymous,
            let cookie = try RouteCookie.find(in: asking.head, of: asking.snapshot.identityProviders)
        {
            let authenticator = Authenticator()
            explanation.credential = "bearer token in a cookie"
            explanation.caller = nil
            known = nil
            if case .known(let caller) = try authenticator.authenticate(cookie, asking, knowing: findings, tokens) {
                explanation.caller = caller.principal.description
                known = caller
            }
        }
        guard let caller = known else { return }
        let located = try Located(route, for: caller, asking)
        explanation.understood.add(located)
        explanation.understood.style = nil
        let mapped = asking.mapped(to: located.address)
        let request: S3Request
        do {
            request = try S3Classifier.classify(
                mapped.head,
                located.address,
                located.query,
                rules: mapped.snapshot.server.keyRules
            )
        } catch {
            throw .request(error)
        }
        explanation.understood.add(request)
        explanation.rules = RuleWords(request, caller, located, mapped).lines
    }

    private static let link = "a link"

    /// The stage itself; where it refuses, its signature is looked into.
    private func authenticate(
        _ asking: Asking,
        _ query: Query,
        _ resource: SignedResource,
        _ findings: Findings,
        _ body: [UInt8]?,
        _ otherHosts: [String],
        _ located: Located?,
        in explanation: inout Explanation,
        agrees: ([UInt8]) -> Bool
    ) -> Authenticated? {
        let presented = (try? PresentedSignature.find(in: asking.head, query: query)) ?? nil
        explanation.credential = Self.credential(presented, asking)
        if let presented {
            var diagnosis = SignatureDiagnosis(
                presented,
                asking,
                located,
                resource,
                hosts: asking.origin.signedHosts(where: agrees),
                otherHosts: otherHosts,
                body: body
            )
            diagnosis.run()
            explanation.signature = diagnosis.report
            explanation.findings += diagnosis.findings
        }
        var authenticator = Authenticator()
        do throws(Refusal) {
            let authentication = try authenticator.authenticate(
                asking,
                query,
                knowing: findings,
                tokens,
                resource: resource,
                agrees: agrees
            )
            guard case .known(let caller) = authentication else { return nil }
            explanation.caller = caller.principal.description
            return caller
        } catch {
            if !explanation.findings.contains(where: { $0.code != .note }) {
                explanation.findings.append(.init(.refused, "\(error.error.message) (\(error.reason))"))
            }
            return nil
        }
    }

    private static func credential(_ presented: PresentedSignature?, _ asking: Asking) -> String {
        if asking.head.fields.count(of: "x-api-key") > 0 { return "API key" }
        switch presented {
        case .header: return Explanation.Signature.Form.headerV4.rawValue
        case .presignedV4: return Explanation.Signature.Form.presignedV4.rawValue
        case .presignedV2: return Explanation.Signature.Form.presignedV2.rawValue
        case .headerV2: return "SigV2 header"
        case .otherScheme(let scheme):
            return scheme.utf8.elementsEqual("Bearer".utf8) ? "bearer token" : "another authorization scheme"
        case nil: return asking.head.fields.count(of: "authorization") > 0 ? "unreadable" : "none"
        }
    }

    /// A forwarded host that is not believed is a frequent cause of the wrong one.
    private func noteForwardedHost(_ asking: Asking, in explanation: inout Explanation) {
        guard let forwarded = asking.head.fields.string("x-forwarded-host"),
            forwarded.utf8.elementsEqual(asking.origin.host) == false
        else { return }
        explanation.findings.append(
            .init(
                .note,
                "X-Forwarded-Host names \(quoted(forwarded)) and is not believed: the connection's other end is not "
                    + "among server.trusted_proxies. If it should be, say from which address the request comes."
            )
        )
    }
}

extension Explainer {
    /// With a host that is none of ours, virtual-hosted style is taken for path style: the key's beginning for a bucket.
    private func noteUnknownHost(_ asking: Asking, in explanation: inout Explanation) {
        let understood = explanation.understood
        guard understood.kind == .s3, understood.style != .virtualHost, !understood.bucketIsKnown,
            let dot = understood.host.firstIndex(of: "."), asking.head.path.count > 1
        else { return }
        let label = String(understood.host[..<dot])
        guard let bucket = BucketName(validating: label), asking.snapshot.bucket(bucket) != nil else { return }
        let domains = asking.snapshot.server.domains
        let known = domains.isEmpty ? "there are none" : domains.map { quoted($0) }.joined(separator: ", ")
        explanation.findings.append(
            .init(
                .note,
                "The host \(quoted(understood.host)) is in none of [server] domains (\(known)), so the bucket is looked for in "
                    + "the path. Where \(quoted(label)) was meant as the bucket, add "
                    + "\(quoted(understood.host[understood.host.index(after: dot)...].prefix { $0 != ":" })) to them."
            )
        )
    }
}

extension Explanation.Understood {
    init(_ asking: Asking, _ reserved: ReservedPath?, _ route: Route?, _ sts: STSEntrance?) {
        method = asking.head.method.name
        // A link's token is as good as a credential.
        path =
            asking.head.path.starts(with: "/-/l/".utf8)
            ? "/-/l/***" : String(decoding: asking.head.path, as: UTF8.self)
        host = String(decoding: asking.origin.host, as: UTF8.self)
        clientAddress = asking.origin.client.map { "\($0)" }
        isSecure = asking.origin.isSecure
        self.route = route?.pattern.source
        switch reserved {
        case .health, .ready: kind = .probe
        case .description: kind = .description
        case .provider: kind = asking.snapshot.provider == nil ? .nothing : .provider
        case .api: kind = .api
        case .events: kind = .events
        case .link: kind = .link
        case .sts: kind = .sts
        case .unknown: kind = .nothing
        case nil: kind = route != nil ? .route : sts != nil ? .sts : .s3
        }
        if asking.head.method == .options { kind = .preflight }
    }

    /// What only deciding found out.
    fileprivate mutating func add(_ decision: Decision) {
        if operation == nil, decision.operation.description != "none" { operation = decision.operation.description }
        guard kind == .link, let name = decision.bucket else { return }
        (bucket, bucketIsKnown, key) = (name.string, true, decision.key?.bytes)
    }

    mutating func add(_ located: Located) {
        guard let name = located.address.bucket else { return }
        style = located.style
        bucket = name.string
        bucketIsKnown = located.bucket != nil
        key = located.address.key?.bytes
    }

    mutating func add(_ request: S3Request) {
        operation = request.operation.metricName.description
        actions = request.actions.actions.map(\.rawValue)
        copySource = request.copySource.map {
            "/\($0.bucket.string)/" + String(decoding: $0.key.bytes, as: UTF8.self)
        }
    }
}

extension Explanation.Decision {
    init(_ decision: Decision) {
        outcome = "\(decision.outcome)"
        reason = decision.reason
        guard case .reply(let reply) = decision.plan, decision.isFinal else { return }
        status = reply.status
        errorCode = reply.error?.code
        errorMessage = reply.error?.message
    }
}

/// For messages: in quotes, with nothing in it that a terminal would obey.
func quoted(_ text: some StringProtocol) -> String {
    var result = "'"
    for scalar in text.unicodeScalars {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0: result += "\\u{" + String(scalar.value, radix: 16) + "}"
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "'"
}

func quoted(_ bytes: some Sequence<UInt8>) -> String { quoted(String(decoding: Array(bytes), as: UTF8.self)) }

/// Whoever comes this far may speak to the JSON API; nothing is asked of it.
private struct NobodyAtTheDesk: APIDesk {
    let document: [UInt8] = []

    func answer(_ call: APICall) async -> Reply { Reply(status: 200) }
}

/// Says whether a use is left, and takes none.
private struct UsesLookedAt: UseCounter {
    let counter: any UseCounter

    func take(_ grant: String, _: UseOfGrant, from address: IPAddress?, at now: Instant) async -> TakenUse {
        await counter.take(grant, .looking, from: address, at: now)
    }

    func keep(_ grant: String, from address: IPAddress, at now: Instant) {}

    func giveBack(_ grant: String) {}

    func remember(_ url: URLOnGrant) async -> Bool { true }
}
