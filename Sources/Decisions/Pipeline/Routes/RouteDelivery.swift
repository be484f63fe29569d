import Admission
import Backends
import HTTP1
import Identity
import S3API
import Signatures
import WireFormats

/// How an object that a route may give reaches whoever asked.
struct RouteDelivery: Sendable {
    private let route: Route
    private let admitted: Admitted
    private let rights: Rights
    private let asking: Asking
    private let counter: (any UseCounter)?

    /// - Parameters:
    ///   - asking: the request that S3 would have got.
    ///   - until: how long the application's word lasts; nil: it sets no end.
    ///   - counter: who keeps what is handed out on account of grants; nil: there are none.
    init(
        _ route: Route,
        _ admitted: Admitted,
        _ caller: Authenticated,
        _ asking: Asking,
        until: Instant?,
        counter: (any UseCounter)?
    ) {
        self.counter = counter
        self.route = route
        self.admitted = admitted
        self.asking = asking
        let rights = Rights(caller, asking)
        self.rights =
            if case .object(let bucket, let key) = admitted.request.address {
                rights.allowed(Rights.Wish(admitted.request.actions, at: .object(bucket, key)), until: until)
            } else {
                rights
            }
    }

    private var request: S3Request { admitted.request }
    private var planner: Planner { Planner(admitted, asking) }

    /// Whether we may carry it: `auto` goes by what the store says.
    var isCarried: Bool { route.delivery != .redirect || !leadsAway }

    func plan() throws(Refusal) -> Plan {
        switch route.delivery {
        case .proxy: try carried()
        case .redirect: try isCarried ? carried() : redirected()
        case .auto(let threshold): try chosen(by: threshold)
        }
    }

    // MARK: - Carried

    private func carried() throws(Refusal) -> Plan {
        let plan = try planner.plan()
        guard case .forward(let forward) = plan, request.operation != .putObject else { return plan }
        return .forward(forward.seen(through: CarriedAnswer(route: route, principal: admitted.principal)))
    }

    // MARK: - Whichever fits

    private func chosen(by threshold: Int64) throws(Refusal) -> Plan {
        guard let bucket = admitted.bucket, try isRedirectable(bucket) else { return try carried() }
        switch request.operation {
        case .getObject: return .forward(try look(at: bucket, threshold))
        case .putObject:
            guard case .length(let length) = asking.head.framing, length > threshold else { return try carried() }
            return try redirected()
        // Nothing is carried for it.
        default: return try carried()
        }
    }

    /// Whether a URL to the store would do: one that leads back here saves nobody anything.
    private func isRedirectable(_ bucket: Bucket) throws(Refusal) -> Bool {
        guard !request.hasCustomerKey, bucket.signsURLs(of: asking.head.method, at: asking.now),
            bucket.isReachedByClients(of: asking.snapshot.server), !isChunked, let target
        else { return false }
        let place = bucket.backend.publicEndpoint ?? bucket.backend.endpoint
        return rights.standingVerdict(
            on: request.actions,
            at: target,
            over: place.transport == .tls ? .tls : .plain
        ).isAllowed
    }

    /// Asks the store how large the object is. Whatever else it says, it shall say to the request itself.
    private func look(at bucket: Bucket, _ threshold: Int64) throws(Refusal) -> Forward {
        let question: OutgoingRequest
        do {
            question = try bucket.backend.exchange(
                for: S3Request(
                    operation: .headObject,
                    address: request.address,
                    query: Query(),
                    actions: S3Operation.headObject.actions
                ),
                head: RequestHead(method: .head, path: asking.head.path, fields: FieldBlock(), host: asking.head.host),
                body: .none,
                copyingFrom: nil,
                view: asking.snapshot.server.view,
                at: asking.now
            ).request
        } catch {
            throw .request(error)
        }
        return Forward(
            admitted: admitted,
            upstream: bucket.upstream,
            request: question,
            body: .none,
            replay: .allowed
        ) { head in
            let size = head.fields.first("content-length").flatMap { Int64(String(decoding: $0, as: UTF8.self)) }
            let isLarge = head.status == 200 && size.map { $0 > threshold } ?? false
            return .collect(limit: 0) { _ in
                planner.replying { () throws(Refusal) in isLarge ? try redirected() : try carried() }
            }
        }
    }

    // MARK: - Redirected

    /// Whether a redirect leaves us. Followed to ourselves, clients would show their credential again beside the URL's; what
    /// they want is here anyway. Whoever wants to know the URL gets one all the same.
    private var leadsAway: Bool {
        SentElsewhere.wantsDocument(asking.head, of: route) || admitted.bucket.map(leadsToStore) ?? true
    }

    /// Whether there are URLs to the store now.
    private func leadsToStore(_ bucket: Bucket) -> Bool {
        bucket.signsURLs(of: asking.head.method, at: asking.now)
            && bucket.isReachedByClients(of: asking.snapshot.server)
    }

    private var target: AccessQuestion.Target? {
        guard case .object(let bucket, let key) = request.address else { return nil }
        return .object(bucket, key)
    }

    private var isChunked: Bool {
        switch admitted.payload {
        case .chunked: true
        case .sha256, .unsigned: false
        }
    }

    private func redirected() throws(Refusal) -> Plan {
        guard case .object(let bucket, let key) = request.address else { throw .request(S3Error(.internalError)) }
        guard !isChunked, !request.hasCustomerKey else {
            throw .request(S3Error(.proxyOnly, "Chunks and customers' keys can't be carried by a signed URL."))
        }
        var wish = URLWish(
            asking.head.method,
            request.actions,
            bucket: bucket,
            key: key,
            lifetime: route.lifetime,
            // Whoever wants a document is told of our own URL where the store has none at the moment.
            via: admitted.bucket.map(leadsToStore) ?? true ? .store : .auto
        )
        if request.operation == .putObject {
            wish.fields = try boundFields()
        } else {
            wish.query = overrides
        }
        guard case .asked? = admitted.bucket?.urls else { return .issue(issuance(of: wish, by: rights)) }
        let asked = wish
        return .wait {
            let signing = await rights.withSignatures(for: [asked], at: asking.now)
            guard case .auto = route.delivery, !signing.isSigned(asked, at: asking.now) else {
                return .issue(issuance(of: asked, by: signing))
            }
            return planner.replying { () throws(Refusal) in try carried() }
        }
    }

    private func issuance(of wish: URLWish, by rights: Rights) -> Issuance {
        Issuance(
            randomBytes: Rights.randomBytesOfURL,
            make: { random in signed(wish, by: rights, random) },
            unrecorded: asking.reply(Refusal.unrecorded.error)
        )
    }

    private func signed(_ wish: URLWish, by rights: Rights, _ random: [UInt8]) -> Issuance.Outcome {
        let url: SignedURL
        do {
            url = try rights.url(for: wish, random: random, at: asking.now)
        } catch {
            return .refused(asking.reply(error.error), reason: error.reason)
        }
        let issued = Issued(
            .url,
            id: url.id,
            bucket: wish.bucket,
            key: wish.key,
            reason: "\(url.reason); route \(route.pattern.source); via \(url.via.rawValue)",
            until: url.expiresAt,
            remember: remembering(url)
        )
        return .issued(issued, SentElsewhere(url, asking.head, route).reply)
    }

    /// Nil where the URL rests on no grant.
    private func remembering(_ url: SignedURL) -> (@Sendable () async -> Bool)? {
        guard !url.onGrants.isEmpty else { return nil }
        return { [counter] in
            guard let counter else { return false }
            for onGrant in url.onGrants where await !counter.remember(onGrant) { return false }
            return true
        }
    }

    /// What the store shall say instead of what it knows (S3 API reference, "GetObject").
    private var overrides: Query {
        var query = Query()
        if let disposition = route.contentDisposition {
            query.append("response-content-disposition".utf8, disposition.utf8)
        }
        if let type = route.contentType { query.append("response-content-type".utf8, type.utf8) }
        return query
    }

    /// What was decided about and so must be part of the signature: the size, and the fields that mean something to S3.
    private func boundFields() throws(Refusal) -> FieldBlock {
        var bound = FieldBlock()
        let sent = asking.head.fields
        for entry in sent.entries where isBound(entry, sent) { bound.append(entry, of: sent, lowercasing: .name) }
        if let type = route.contentType { bound.append("content-type", type) }
        let length = try statedLength()
        guard length <= asking.snapshot.server.maxObjectSize else { throw .request(S3Error(.entityTooLarge)) }
        bound.append("content-length", String(length))
        return bound
    }

    /// How long the body will be that goes to the store. A client that is sent on sends the body it announced; one that asks
    /// for the URL alone has none yet, and says what it will have in `X-Upload-Content-Length`.
    private func statedLength() throws(Refusal) -> Int64 {
        let announced: Int64? = if case .length(let length) = asking.head.framing { length } else { nil }
        guard SentElsewhere.wantsDocument(asking.head, of: route), announced ?? 0 == 0 else {
            guard let announced else { throw .request(S3Error(.missingContentLength)) }
            return announced
        }
        let fields = asking.head.fields
        guard fields.count(of: "x-upload-content-length") > 0 else {
            throw .request(
                S3Error(.missingContentLength, "Say in X-Upload-Content-Length how many bytes will be uploaded.")
            )
        }
        guard fields.count(of: "x-upload-content-length") == 1, let text = fields.first("x-upload-content-length"),
            !text.isEmpty, text.count < 19, text.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
            let length = Int64(String(decoding: text, as: UTF8.self))
        else { throw .request(S3Error(.invalidArgument, "X-Upload-Content-Length is a number of bytes.")) }
        return length
    }

    private static let boundNames: [StaticString] = ["content-md5", "if-match", "if-none-match"]

    private func isBound(_ entry: FieldBlock.Entry, _ sent: FieldBlock) -> Bool {
        guard sent.hasPrefix(entry, "x-amz-") else { return Self.boundNames.contains { sent.isNamed(entry, $0) } }
        if sent.hasPrefix(entry, "x-amz-meta-") { return true }
        return AmzField(name: sent.name(entry))?.carriage == .carried
    }
}
