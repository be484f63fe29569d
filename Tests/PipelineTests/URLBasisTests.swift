import Admission
import Backends
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Synchronization
import Testing
import WireFormats

@Suite("What URLs to stores are signed with, where it is something else than what requests carry")
struct URLBasisTests {
    private static let random = [UInt8](repeating: 1, count: Rights.randomBytesOfURL)

    private func wish(
        _ bucket: String,
        for lifetime: Duration = .seconds(60),
        via: URLWish.Via = .auto,
        _ method: HTTPMethod = .get
    ) throws
        -> URLWish
    {
        URLWish(
            method,
            S3Operation.getObject.actions,
            bucket: try #require(BucketName(validating: bucket)),
            key: ObjectKey("a.txt"),
            lifetime: lifetime,
            via: via
        )
    }

    // MARK: - A key of its own

    private struct Nobody: CredentialOffice {
        func obtain(_ source: CredentialSource) async -> CredentialFinding {
            .unavailable(reason: "AuthorizationPermissionMismatch", retryAfter: .seconds(1))
        }

        func refused(_ source: CredentialSource, version: Int) {}
    }

    /// A bucket at Azure whose token ends in an hour; its key for URLs, if there is one, at `end`.
    private func azure(keyEnding end: Instant?) throws -> Bucket {
        let application = AzureApplication(
            .own(subject: "s", audience: "a"),
            tenantID: "t",
            clientID: "c",
            endpoint: try #require(ServiceURL("https://login.microsoftonline.com"))
        )
        let storage = try #require(ServiceURL("https://photostore.blob.core.windows.net"))
        let endpoint = try #require(Endpoint(url: storage.description))
        let key = end.map { end in
            UserDelegationKey(
                objectID: "o",
                tenantID: "t",
                start: Timestamp.iso8601(noon - .seconds(900)),
                expiry: Timestamp.iso8601(end),
                service: "b",
                version: "2021-12-02",
                value: Secret("c2VjcmV0")
            )
        }
        func term(_ end: Instant) -> CredentialLease.Term {
            CredentialLease.Term(version: 1, expiresAt: end, usableUntil: end - .seconds(60))
        }
        return Bucket(
            name: try #require(BucketName(validating: "federated")),
            backend: AzureBackend(
                account: "photostore",
                container: "pictures",
                endpoint: endpoint,
                credential: .bearer(Secret("token"), delegation: key)
            ),
            upstream: Upstream(name: "azure", endpoint: endpoint),
            kind: .azure,
            hardening: [],
            lease: CredentialLease(.azure(application), term: term(noon + .seconds(3600)), from: Nobody()),
            urls: .leased(
                CredentialLease(
                    .azureDelegation(AzureDelegation(application, storage: storage)),
                    term: end.map(term),
                    from: Nobody()
                )
            )
        )
    }

    @Test("A URL outlives the token, and ends with the key that signed it")
    func delegated() async throws {
        let bucket = try azure(keyEnding: noon + .seconds(7200))
        let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
        let long = try rights.url(for: wish("federated", for: .seconds(86_400)), random: Self.random, at: noon)
        #expect((long.via, long.cappedBy) == (.store, .backendCredential))
        #expect(long.expiresAt == noon + .seconds(7200))
        #expect(long.url.contains("skoid=o") && !long.url.contains("token"))
        let short = try rights.url(for: wish("federated"), random: Self.random, at: noon)
        #expect((short.via, short.cappedBy) == (.store, nil))
        // What is about to end signs nothing.
        let late = try rights.url(for: wish("federated"), random: Self.random, at: noon + .seconds(7150))
        #expect(late.via == .gatehouse)
    }

    @Test("Without the key URLs lead back here; none was asked for that must not: 503")
    func undelegated() async throws {
        let bucket = try azure(keyEnding: nil)
        let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
        let wishes = [try wish("federated"), try wish("federated", via: .store)]
        let heard = await rights.hearing(about: wishes, at: noon)
        #expect(try heard.url(for: wishes[0], random: Self.random, at: noon).via == .gatehouse)
        let refusal = #expect(throws: URLRefusal.self) {
            try heard.url(for: wishes[1], random: Self.random, at: noon)
        }
        #expect(refusal?.error.code == .backendCredentialUnavailable)
        // There is no URL of Azure's that only looks, with a key or without.
        for bucket in [bucket, try azure(keyEnding: noon + .seconds(7200))] {
            let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
            let look = try wish("federated", via: .store, .head)
            #expect(try rights.url(for: look, random: Self.random, at: noon).via == .gatehouse)
        }
    }

    @Test("A route's document names our own URL where the store has none at the moment")
    func undelegatedRoute() throws {
        var gate = Gate([try route("/f/{id}", bucket: "federated", key: "{id}", .redirect)])
        gate.otherBuckets = [try azure(keyEnding: nil)]
        let plan = try gate.decide(Self.call.with("accept", "application/json")).plan
        guard case .issued(_, let reply) = try plan.issued() else { throw OtherPlan() }
        #expect(reply.status == 200 && text(reply.body).contains("https://files.example.com/"))
    }

    @Test("Both credentials are obtained that a bucket needs, each once")
    func sources() throws {
        var gate = Gate()
        gate.otherBuckets = [try azure(keyEnding: nil)]
        let sources = try gate.snapshot().credentialSources
        #expect(sources.values.map { $0 } == [["azure"], ["azure"]])
        #expect(Set(sources.keys.map(\.use)) == [.requests, .urls])
    }

    // MARK: - Somebody who is asked

    private final class Played: URLSignatory {
        let longestLifetime = Duration.seconds(43_200)
        let asked = Mutex<[[UInt8]]>([])
        let most = Mutex(0)
        private let underWay = Mutex(0)
        private let finding: SignatureFinding

        init(_ finding: SignatureFinding) { self.finding = finding }

        func signature(of text: [UInt8]) async -> SignatureFinding {
            asked.withLock { $0.append(text) }
            let now = underWay.withLock { count in
                count += 1
                return count
            }
            most.withLock { $0 = max($0, now) }
            for _ in 0..<100 { await Task.yield() }
            underWay.withLock { $0 -= 1 }
            return finding
        }
    }

    private static let made = Played(.made([0xAB, 0xCD]))

    private func google(_ signatory: Played) throws -> Bucket {
        Bucket(
            name: try #require(BucketName(validating: "impersonated")),
            backend: GoogleBackend(
                bucketName: "store-bucket",
                credential: .token(Secret("ya29"), signedAs: "data@project.iam.gserviceaccount.com")
            ),
            upstream: Upstream(name: "google", endpoint: GoogleBackend.usualEndpoint),
            kind: .gcs,
            hardening: [],
            urls: .asked(signatory)
        )
    }

    @Test("What Google signs leads there, for twelve hours at most")
    func signed() async throws {
        let signatory = Played(.made([0xAB, 0xCD]))
        let bucket = try google(signatory)
        let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
        let wishes = [try wish("impersonated"), try wish("impersonated", for: .seconds(86_400))]
        let heard = await rights.hearing(about: wishes, at: noon)
        let url = try heard.url(for: wishes[0], random: Self.random, at: noon)
        #expect(url.via == .store)
        #expect(
            url.url.hasPrefix("https://storage.googleapis.com/store-bucket/a.txt?X-Goog-Algorithm=GOOG4-RSA-SHA256&")
        )
        #expect(url.url.contains("X-Goog-Credential=data%40project.iam.gserviceaccount.com%2F"))
        #expect(url.url.hasSuffix("&X-Goog-Signature=abcd"))
        let long = try heard.url(for: wishes[1], random: Self.random, at: noon)
        #expect((long.expiresAt, long.cappedBy) == (noon + .seconds(43_200), .backendCredential))
        #expect(signatory.asked.withLock { $0.count } == 2)
        let text = String(decoding: signatory.asked.withLock { $0[0] }, as: UTF8.self)
        #expect(text.hasPrefix("GOOG4-RSA-SHA256\n"))
        // A signature is for one URL at one time.
        #expect(try heard.url(for: wishes[0], random: Self.random, at: noon + .seconds(1)).via == .gatehouse)
    }

    private static var denied: PolicySet {
        get throws {
            let document = """
                {"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}
                """
            return PolicySet([
                PolicySet.Entry(
                    name: "p",
                    appliesTo: [try PrincipalPattern(parsing: "*")],
                    document: try PolicyDocument(parsing: Array(document.utf8))
                )
            ])
        }
    }

    @Test("Nobody is asked to sign what the caller may not do")
    func forbidden() async throws {
        let signatory = Played(.made([1]))
        let bucket = try google(signatory)
        let rights = try await rightsOfRoot {
            $0.otherBuckets = [bucket]
            $0.policies = try Self.denied
        }
        _ = await rights.hearing(about: [try wish("impersonated"), try wish("nothing")], at: noon)
        #expect(signatory.asked.withLock { $0.isEmpty })
    }

    @Test("Where it does not sign, URLs lead back here; none was asked for that must not: 503")
    func unavailable() async throws {
        let bucket = try google(Played(.unavailable(reason: "answered 403 PERMISSION_DENIED")))
        let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
        let wishes = [try wish("impersonated"), try wish("impersonated", via: .store)]
        let heard = await rights.hearing(about: wishes, at: noon)
        #expect(try heard.url(for: wishes[0], random: Self.random, at: noon).via == .gatehouse)
        let refusal = #expect(throws: URLRefusal.self) {
            try heard.url(for: wishes[1], random: Self.random, at: noon)
        }
        #expect(refusal?.error.code == .backendCredentialUnavailable)
        #expect(refusal?.reason == "no signature for the store: answered 403 PERMISSION_DENIED")
    }

    private func wishes(_ count: Int) throws -> [URLWish] {
        let bucket = try #require(BucketName(validating: "impersonated"))
        return (0..<count).map { number in
            URLWish(
                .get,
                S3Operation.getObject.actions,
                bucket: bucket,
                key: ObjectKey("\(number)"),
                lifetime: .seconds(60),
                via: .store
            )
        }
    }

    @Test("A hundred URLs at once take no more than sixteen signatures at a time, and the same text one")
    func manyAtOnce() async throws {
        let signatory = Played(.made([0xAB, 0xCD]))
        let bucket = try google(signatory)
        let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
        let wishes = try wishes(100)
        let heard = await rights.hearing(about: wishes + wishes, at: noon)
        for wish in wishes { #expect(try heard.url(for: wish, random: Self.random, at: noon).via == .store) }
        #expect(signatory.asked.withLock { $0.count } == 100)
        #expect((2...16).contains(signatory.most.withLock(\.self)))
    }

    @Test("Somebody who signs nothing is not asked a hundred times")
    func nobodyThere() async throws {
        let signatory = Played(.unavailable(reason: "did not answer"))
        let bucket = try google(signatory)
        let rights = try await rightsOfRoot { $0.otherBuckets = [bucket] }
        let wishes = try wishes(100)
        let heard = await rights.hearing(about: wishes, at: noon)
        for wish in wishes {
            let refusal = #expect(throws: URLRefusal.self) { try heard.url(for: wish, random: Self.random, at: noon) }
            #expect(refusal?.error.code == .backendCredentialUnavailable)
        }
        #expect((16..<32).contains(signatory.asked.withLock { $0.count }))
    }

    // MARK: - Routes

    private func waited(_ plan: Plan) async throws -> Plan {
        guard case .wait(let make) = plan else { throw OtherPlan() }
        return await make()
    }

    private func gate(_ delivery: Route.Delivery, _ signatory: Played) throws -> Gate {
        var gate = Gate([try route("/f/{id}", bucket: "impersonated", key: "{id}", delivery)])
        gate.otherBuckets = [try google(signatory)]
        return gate
    }

    private static let call = Call("GET", "/f/7").by(.root)

    @Test("A route waits for the signature outside of the loop, and then redirects")
    func redirected() async throws {
        var gate = try gate(.redirect, Played(.made([0xAB, 0xCD])))
        let plan = try await waited(gate.decide(Self.call).plan)
        #expect(try plan.location().hasSuffix("&X-Goog-Signature=abcd"))
    }

    @Test("A redirect that nobody signs is 503, and what may be carried is carried")
    func unsigned() async throws {
        let refusing = Played(.unavailable(reason: "answered 403"))
        var redirecting = try gate(.redirect, refusing)
        let plan = try await waited(redirecting.decide(Self.call).plan)
        guard case .refused(let reply, _) = try plan.issued() else { throw OtherPlan() }
        #expect(reply.status == 503)
        var choosing = try gate(.auto(above: 1), refusing)
        let look = try choosing.decide(Self.call).forward()
        #expect(look.request.method == .head)
        guard case .collect(_, let then) = look.given(200, [("content-length", "2")]) else { throw OtherPlan() }
        let carried = try await waited(then([])).forward()
        #expect(carried.request.method == .get)
    }

    @Test("Another gateway is given neither a token nor a signed query")
    func gateways() throws {
        for backend in [try azure(keyEnding: noon + .seconds(7200)).backend, try google(Self.made).backend] {
            let request = S3Request(
                operation: .getObject,
                address: .object(try #require(BucketName(validating: "bkt")), ObjectKey("a.txt")),
                query: Query(),
                actions: S3Operation.getObject.actions
            )
            let head = RequestHead(method: .get, path: Array("/b/a.txt".utf8), fields: FieldBlock(), host: [])
            #expect(try backend.gatewayRequest(for: request, head: head, payload: .unsigned, at: noon) == nil)
        }
    }
}
