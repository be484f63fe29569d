import Admission
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import WireFormats

/// What is measured: each stage by itself, then whole decisions from a head to the signed request for the store.
struct Workload {
    private let requests = SampleRequests()
    private let snapshot: Snapshot
    private let federated: Snapshot
    private let limiter = Limiter()
    private var pipeline: Pipeline
    private var signingKeys = SigningKeyCache()

    init() throws {
        snapshot = try SampleSnapshot.make()
        federated = try SampleSnapshot.make(.session)
        pipeline = Pipeline(limiter: limiter, tokens: NoTokens())
    }

    mutating func measureAll() throws -> [Measurement] {
        [
            try verify("verify, header signature", requests.signed),
            try verify("verify, presigned URL", requests.presigned),
            try classify(),
            try decide(),
            try sign(),
            try pipeline("pipeline, GET with API key", requests.withAPIKey),
            try pipeline("pipeline, GET with header signature", requests.signed),
            try pipeline("pipeline, GET by presigned URL", requests.presigned),
            try pipeline("pipeline, GET with API key, federated store", requests.withAPIKey, under: federated),
        ] + (try BodyWorkload().measureAll())
    }

    private mutating func verify(_ name: String, _ head: RequestHead) throws -> Measurement {
        let query = try Query(parsing: head.query ?? [])
        return try Measurement(name) {
            guard let presented = try PresentedSignature.find(in: head, query: query) else { return false }
            let verified = try SigV4.verify(
                presented,
                head: head,
                query: query,
                hosts: [head.host],
                secret: SampleRequests.secret,
                now: SampleRequests.now,
                region: "us-east-1",
                keys: &signingKeys
            )
            return verified.signedAt == SampleRequests.now
        }
    }

    private func classify() throws -> Measurement {
        let head = requests.signed
        return try Measurement("locate and classify") {
            let located = try S3Address.locate(host: head.host, path: head.path, domains: ["s3.example.com"])
            let request = try S3Classifier.classify(head, located.address, try Query(parsing: head.query ?? []))
            return request.operation == .getObject
        }
    }

    private func decide() throws -> Measurement {
        let head = requests.signed
        let address = try S3Address.locate(host: head.host, path: head.path, domains: []).address
        guard let bucket = address.bucket, let key = address.key else { throw UnexpectedOutcome(name: "decide") }
        let policies = try SampleSnapshot.policies
        let question = AccessQuestion(
            principal: .key("dashboard"),
            basis: .scopes([try SampleSnapshot.scope]),
            actions: S3Operation.getObject.actions,
            target: .object(bucket, key),
            circumstances: AccessQuestion.Circumstances(
                now: SampleRequests.now,
                sourceAddress: IPAddress("192.0.2.7"),
                transport: .tls
            )
        )
        return try Measurement("decide, scope and policy") {
            Admission.decide(question, policies: policies) { _ in [] }.isAllowed
        }
    }

    private func sign() throws -> Measurement {
        let signer = SigV4Signer(accessKeyID: "AKSTORE0000EXAMPLE", secret: Secret("s"), region: "us-east-1")
        return try Measurement("sign for the store") {
            var request = OutgoingRequest(method: .get, path: SampleRequests.path)
            request.fields.append("host", "store:8333")
            signer.sign(&request, payload: .empty, at: SampleRequests.now)
            return request.fields.entries.count == 4
        }
    }

    private mutating func pipeline(
        _ name: String,
        _ head: RequestHead,
        under other: Snapshot? = nil
    ) throws -> Measurement {
        let snapshot = other ?? snapshot
        let facts = ConnectionFacts(peer: IPAddress("192.0.2.7"), isSecure: true)
        return try Measurement(name) {
            let decision = pipeline.decide(
                head,
                from: facts,
                under: snapshot,
                at: SampleRequests.now,
                requestID: RequestID(random: 42),
                auditIsHealthy: true
            )
            if let permit = decision.permit { limiter.release(permit) }
            guard case .forward = decision.plan else { return false }
            return true
        }
    }
}
