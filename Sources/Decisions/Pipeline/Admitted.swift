import Admission
import Backends
import HTTP1
public import Identity
public import S3API
public import Signatures
import WireFormats

/// A request that was authenticated and may be carried out. Only this file makes one, and forwarding takes one: skipping
/// the check does not compile.
public final class Admitted: Sendable {
    public let request: S3Request
    public let principal: Principal
    /// What the body must turn out to be.
    public let payload: PayloadHash
    /// What the chunks of a body must carry that says so; else nil.
    let chunkSignatures: ChunkSignatures?
    /// Nil for ListBuckets alone.
    public let bucket: Bucket?
    /// Where a copy's source lies.
    public let source: Bucket?
    /// The rule that allowed it, for the log.
    public let reason: String
    /// The grants it rests on of which a use has to be taken first.
    let countedGrants: [String]
    /// The question that was asked, to be asked again for each key of a batch.
    private let question: AccessQuestion
    private let claims: [UInt8]

    init(
        _ request: S3Request,
        by caller: Authenticated,
        to located: Located,
        _ asking: Asking
    ) throws(Refusal) {
        // Who may not sign may not say either what an object shall be taken for.
        guard caller.principal != .anonymous || !request.query.hasResponseOverride else {
            throw .request(
                S3Error(
                    .invalidRequest,
                    "Request specific response headers cannot be used for anonymous GET requests."
                )
            )
        }
        self.request = request
        principal = caller.principal
        payload = caller.payload
        chunkSignatures = caller.chunkSignatures
        bucket = located.bucket
        claims = caller.claims
        guard Self.isWithinReach(request, of: caller, asking) else { throw .quarantined }
        try Self.checkConditions(of: request, asking)
        question = Self.question(request, by: caller, to: located, asking)
        var counted: [String] = []
        if request.operation == .deleteObjects {
            // Decided key by key, once the document is here: from somebody to whom anything could be permitted.
            guard caller.principal != .anonymous || !asking.snapshot.policies.isEmpty else {
                throw .denied(reason: "anonymous callers delete nothing")
            }
            reason = "per key"
        } else {
            reason = try Self.allowed(question, asking, &counted, values: asking.values)
        }
        source = try Self.source(of: request, question, asking, &counted)
        countedGrants = counted
        guard request.address == .service || located.bucket != nil else {
            if request.operation == .createBucket { throw .request(asking.snapshot.noBucketIsMade) }
            throw .request(S3Error(.noSuchBucket))
        }
    }

    /// What is asked of the policies.
    static func question(
        _ request: S3Request,
        by caller: Authenticated,
        to located: Located,
        _ asking: Asking
    ) -> AccessQuestion {
        var question = AccessQuestion(
            principal: caller.principal,
            basis: caller.basis,
            actions: request.actions,
            target: target(of: request, asking),
            bucket: facts(of: located.bucket, for: request, asking),
            circumstances: AccessQuestion.Circumstances(
                now: asking.now,
                sourceAddress: asking.origin.client,
                transport: asking.origin.isSecure ? .tls : .plain
            )
        )
        question.versionID = request.versionID
        question.sessionPolicies = caller.sessionPolicies
        return question
    }

    /// What a copy asks besides, about its source.
    static func sourceQuestion(
        _ copied: CopySource,
        _ question: AccessQuestion,
        _ asking: Asking
    ) -> AccessQuestion {
        var reading = question
        reading.actions = copied.actions
        reading.target = .object(copied.bucket, copied.key)
        reading.versionID = copied.versionID
        reading.bucket = asking.snapshot.bucket(copied.bucket)?.facts ?? AccessQuestion.BucketFacts()
        return reading
    }

    /// Who may create buckets may ask for any name, and hears that it is taken where it is.
    private static func facts(
        of bucket: Bucket?,
        for request: S3Request,
        _ asking: Asking
    ) -> AccessQuestion.BucketFacts {
        if request.operation == .createBucket {
            return AccessQuestion.BucketFacts(accountOwnsEveryBucket: asking.snapshot.openAccount != nil)
        }
        return bucket?.facts ?? AccessQuestion.BucketFacts()
    }

    /// What the application is to be asked; nil for a batch, which it is asked about key by key.
    var applicationQuestion: ApplicationQuestion? {
        guard request.operation != .deleteObjects else { return nil }
        var items = ApplicationQuestion.Item.items(of: question)
        if let copied = request.copySource {
            var reading = question
            reading.actions = copied.actions
            reading.target = .object(copied.bucket, copied.key)
            reading.bucket.keepsKeys = source?.facts.keepsKeys ?? false
            items += ApplicationQuestion.Item.items(of: reading)
        }
        return applicationQuestion(items)
    }

    /// The same for the keys of a batch: one question, with an item for each action on each.
    func applicationQuestion(deleting entries: [DeleteRequest.Entry]) -> (ApplicationQuestion, owners: [Int]) {
        var items: [ApplicationQuestion.Item] = []
        var owners: [Int] = []
        guard let name = request.bucket else { return (applicationQuestion(items), owners) }
        for (index, entry) in entries.enumerated() {
            var one = question
            one.actions = deletion(entry)
            one.target = .object(name, entry.key)
            let added = ApplicationQuestion.Item.items(of: one)
            items += added
            owners += added.map { _ in index }
        }
        return (applicationQuestion(items), owners)
    }

    private func applicationQuestion(_ items: [ApplicationQuestion.Item]) -> ApplicationQuestion {
        ApplicationQuestion(
            principal: principal,
            claims: claims,
            sourceAddress: question.circumstances.sourceAddress,
            items: items
        )
    }

    private func deletion(_ entry: DeleteRequest.Entry) -> ActionSet {
        entry.actions.union(request.actions.subtracting(S3Operation.deleteObjects.actions))
    }

    /// Which keys of a batch may be deleted, asked for some of them at a time.
    func deletions(_ asking: Asking) -> BatchRights {
        BatchRights(question, in: request.bucket, asking) { [self] entry in deletion(entry) }
    }

    /// Whether ListBuckets shows a bucket.
    func mayList(_ name: BucketName, _ facts: AccessQuestion.BucketFacts, _ asking: Asking) -> Bool {
        Admission.mayList(
            name,
            facts,
            for: question,
            policies: asking.snapshot.policies,
            grants: asking.state.isAway ? nil : asking.grants,
            rights: asking.rightsOfGiver,
            values: asking.values
        )
    }

    private static func allowed(
        _ question: AccessQuestion,
        _ asking: Asking,
        _ counted: inout [String],
        values: (RequestValue) -> [[UInt8]]
    ) throws(Refusal) -> String {
        let verdict = asking.verdict(on: question, values: values)
        guard !asking.state.isMissing(for: verdict) else { throw .stateAway }
        if case .allowed(.countedGrant(let id, _)) = verdict, !counted.contains(id) { counted.append(id) }
        guard verdict.isAllowed else { throw .denied(reason: verdict.reason) }
        return verdict.reason
    }

    /// A copy needs reading there as well as writing here.
    private static func source(
        of request: S3Request,
        _ question: AccessQuestion,
        _ asking: Asking,
        _ counted: inout [String]
    ) throws(Refusal) -> Bucket? {
        guard let copied = request.copySource else { return nil }
        guard !asking.snapshot.uploads.isQuarantined(copied.key) else { throw .quarantined }
        let bucket = asking.snapshot.bucket(copied.bucket)
        _ = try allowed(
            sourceQuestion(copied, question, asking),
            asking,
            &counted,
            values: asking.valuesOfSource
        )
        guard let bucket else { throw .request(S3Error(.noSuchBucket)) }
        return bucket
    }

    /// What has to be permitted: the bytes of a slot that wait in quarantine are written by the right to write the key that
    /// they are meant for.
    private static func target(of request: S3Request, _ asking: Asking) -> AccessQuestion.Target {
        switch request.address {
        case .service: .service
        case .bucket(let name): request.listedPrefix.map { .listing(name, prefix: $0) } ?? .bucket(name)
        case .object(let name, let key): .object(name, asking.snapshot.uploads.key(behind: key) ?? key)
        }
    }

    /// Nobody reaches what was uploaded and not yet looked at, but for the bytes of a slot by the URL that was signed for
    /// it.
    private static func isWithinReach(_ request: S3Request, of caller: Authenticated, _ asking: Asking) -> Bool {
        guard let key = request.key, asking.snapshot.uploads.isQuarantined(key) else { return true }
        return !caller.issuedID.isEmpty && request.operation == .putObject
            && asking.snapshot.uploads.key(behind: key) != nil
    }

    /// What has to hold of an object in quarantine says nothing of the key that it is meant for, about which is decided.
    private static func checkConditions(of request: S3Request, _ asking: Asking) throws(Refusal) {
        guard let key = request.key, asking.snapshot.uploads.isQuarantined(key) else { return }
        let fields = asking.head.fields
        guard fields.count(of: "if-match") == 0, fields.count(of: "if-none-match") == 0 else {
            throw .request(S3Error(.notImplemented, "There are no conditions on what waits in quarantine."))
        }
    }
}

extension Refusal {
    fileprivate static let quarantined = Refusal.denied(reason: "quarantine")
}

extension S3Error {
    static let bucketsAreConfigured = S3Error(
        .notImplemented,
        "Buckets of this account are made in the configuration."
    )
}

extension Bucket {
    /// What decisions need to know of it.
    var facts: AccessQuestion.BucketFacts {
        AccessQuestion.BucketFacts(
            anonymousAccess: anonymousAccess,
            accountOwnsEveryBucket: isOfOpenAccount,
            allowedRoles: allowedRoles,
            keepsKeys: backend.keepsKeys
        )
    }
}

extension Query {
    /// `response-content-type` and its like.
    fileprivate var hasResponseOverride: Bool {
        !isEmpty && items.contains { $0.name.starts(with: "response-".utf8) }
    }
}
