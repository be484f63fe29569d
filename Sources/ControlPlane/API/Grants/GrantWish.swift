import Admission
import Identity
import Pipeline
import S3API
import Valet
import WireFormats

/// What a caller wants to give, understood.
struct GrantWish {
    let subject: String
    var isLink: Bool { subject == Self.link }
    /// As the audit log calls it.
    var action: StaticString { isLink ? "create_link" : "create_grant" }

    private static let link = "link"
    /// Ten years: what is meant to hold for ever belongs into the configuration.
    private static let longest = Duration.seconds(3650 * 86_400)

    private let request: APIRequest
    private let id: String
    let bucket: BucketName
    let reach: Grant.Reach
    private let actions: ActionSet
    private let expiresAt: Instant
    private let source: CIDR?

    init(_ request: APIRequest, id: String) throws(APIFailure) {
        self.request = request
        self.id = id
        let body = request.body
        subject = try Self.subject(body.text("subject") ?? "")
        guard let bucket = body.text("bucket").flatMap({ BucketName(validating: $0) }) else {
            throw APIFailure(APIFailure.Code(.invalidBucketName))
        }
        self.bucket = bucket
        reach = try Self.reach(body, request.caller.snapshot.server.keyRules)
        actions = try Self.actions(body.texts("actions") ?? [], forLink: subject == Self.link)
        guard let end = body.instant("expires_at"), end > request.now else {
            throw APIFailure(.invalidArgument, "'expires_at' must be in the future.")
        }
        expiresAt = min(end, Self.latest(for: request))
        source = try body.text("source_cidr").map { (text) throws(APIFailure) in
            guard let range = CIDR(text) else {
                throw APIFailure(.invalidArgument, "'source_cidr' must be a range such as 192.0.2.0/24.")
            }
            return range
        }
    }

    /// The grant, if the caller may give it.
    ///
    /// - Parameter hash: of the token, where it is a link.
    func grant(linkedBy hash: [UInt8]) async throws(APIFailure) -> (grant: Grant, reason: String) {
        let caller = request.caller
        let needed = actions.union(ActionSet(isLink ? .shareLink : .share))
        var reason = ""
        let places = reach.places(of: needed, in: bucket, nobodys: id)
        for (actions, target) in places {
            switch caller.ownVerdict(on: actions, at: target) {
            case .allowed(let rule): reason = rule.description
            case .denied(let why): throw .denied(why.description)
            }
        }
        guard !caller.isOfSession else { throw .denied("a session gives nothing on") }
        // The application has the last word here too.
        for permission in await caller.permissions(for: places.map { Rights.Wish($0.0, at: $0.1) }) {
            if case .denied(let why) = permission { throw .denied(why) }
        }
        guard caller.snapshot.bucket(bucket) != nil else { throw APIFailure(APIFailure.Code(.noSuchBucket)) }
        let giver = caller.giver
        let grant = Grant(
            id: id,
            subject: isLink ? .link(hash: hash) : .principal(subject),
            bucket: bucket,
            reach: reach,
            actions: actions,
            grantor: giver.principal.description,
            claims: giver.claims,
            note: request.body.text("note") ?? "",
            issuedAt: request.now,
            expiresAt: expiresAt,
            maxUses: request.body.integer("max_uses").map(Int.init),
            source: source
        )
        return (grant, reason)
    }

    private static func subject(_ text: String) throws(APIFailure) -> String {
        if text == link { return text }
        switch Principal(text) {
        case .user, .key, .identityProvider, .role: return text
        case .link, .anonymous, nil:
            throw APIFailure(
                .invalidArgument,
                "'subject' must be link, or one of user:NAME, key:NAME, idp:PROVIDER:SUBJECT, role:ID:SESSION."
            )
        }
    }

    private static func reach(_ body: JSONObject, _ rules: KeyRules) throws(APIFailure) -> Grant.Reach {
        switch (body.text("key"), body.text("prefix")) {
        case (let key?, nil):
            do {
                return .key(try ObjectKey(validating: Array(key.utf8), rules: rules))
            } catch {
                throw APIFailure(error)
            }
        case (nil, let prefix?):
            guard prefix.utf8.count <= ObjectKey.maximumLength else { throw APIFailure(.keyTooLong) }
            return .prefix(Array(prefix.utf8))
        default:
            throw APIFailure(.invalidArgument, "Either 'key' or 'prefix' is required, and not both.")
        }
    }

    private static func actions(_ names: [String], forLink isLink: Bool) throws(APIFailure) -> ActionSet {
        var actions: ActionSet = []
        for name in names {
            guard let named = ActionSet(named: name) else {
                throw APIFailure(.invalidArgument, "'\(name.prefix(64))' is no action.")
            }
            // The group brings along what is about no bucket.
            let given = name == "list" || name == "*" ? named.intersection(.grantable) : named
            guard given.isSubset(of: isLink ? .linkable : .grantable) else {
                throw APIFailure(
                    .invalidArgument,
                    isLink
                        ? "Links can be for get_object and head_object alone." : "'\(name)' can't be given to others."
                )
            }
            actions.formUnion(given)
        }
        return actions
    }

    /// Nothing lasts longer than what it rests on. A token is short, and what its bearer may do is asked again by what it
    /// said: that has a limit of its own.
    private static func latest(for request: APIRequest) -> Instant {
        guard case .identityProvider(let name, _) = request.caller.principal else {
            return min(request.now + longest, request.caller.credentialExpiresAt ?? request.now + longest)
        }
        let provider = request.caller.snapshot.identityProviders.first { $0.name == name }
        return request.now + (provider?.maxGrantTTL ?? .seconds(86_400))
    }
}
