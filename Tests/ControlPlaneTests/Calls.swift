import Admission
import Backends
import Foundation
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@testable import ControlPlane

let noon = Instant(secondsSince1970: 1_800_000_000)

/// Calls of the JSON API through the pipeline, as alice, who may do everything in photos.
struct APICaller {
    let desk: Desk
    var key = "alice-key"
    /// What the configuration says it is.
    var keyOfAlice = "alice-key"
    var peer = "192.0.2.7"
    var policies = PolicySet()
    var buckets: [Bucket] = []
    var grants: GrantSource?
    var revocations: RevocationBook?
    /// Whether bob's and alice's entries are still in the configuration.
    var hasUsers = true
    var url = "https://files.example.com"
    var now = noon
    var requiresAudit = false
    var uploads = UploadRules()
    var admins: Set<Principal> = []

    func ask(
        _ method: HTTPMethod,
        _ path: String,
        _ body: String = "",
        type: String? = "application/json",
        fields more: [(String, String)] = []
    ) async throws -> APIReply {
        var fields = FieldBlock()
        fields.append("host", "files.example.com")
        fields.append("x-api-key", key)
        if let type { fields.append("content-type", type) }
        for (name, value) in more { fields.append(name.utf8, value.utf8) }
        let parts = path.split(separator: "?", maxSplits: 1)
        let head = RequestHead(
            method: method,
            version: .http11,
            path: Array(parts[0].utf8),
            query: parts.count > 1 ? Array(parts[1].utf8) : nil,
            fields: fields,
            framing: body.isEmpty ? .none : .length(Int64(body.utf8.count)),
            keepAlive: true,
            expectsContinue: false,
            host: Array("files.example.com".utf8)
        )
        var plan = try decide(head).plan
        while true {
            switch plan {
            case .collect(_, let then): plan = then(Array(body.utf8))
            case .wait(let make): plan = await make()
            case .reply(let reply): return try APIReply(reply)
            default: throw Unexpected()
            }
        }
    }

    struct Unexpected: Error {}

    /// What becomes of a URL that somebody was given.
    func follow(_ url: String, _ method: HTTPMethod = .get, more: [(String, String)] = []) throws -> Decision {
        let rest = url.drop { $0 != ":" }.dropFirst(3)
        let host = rest.prefix { $0 != "/" }
        let target = rest.drop { $0 != "/" }
        var fields = FieldBlock()
        fields.append("host", String(host))
        for (name, value) in more { fields.append(name.utf8, value.utf8) }
        return try decide(
            RequestHead(
                method: method,
                path: Array(target.prefix { $0 != "?" }.utf8),
                query: Array(target.drop { $0 != "?" }.dropFirst().utf8),
                fields: fields,
                host: Array(host.utf8)
            )
        )
    }

    private func decide(_ head: RequestHead) throws -> Decision {
        var pipeline = Pipeline(
            limiter: Limiter(),
            tokens: NoTokens(),
            desk: desk,
            grants: grants,
            revocations: revocations
        )
        return pipeline.decide(
            head,
            from: ConnectionFacts(peer: IPAddress(peer), isSecure: url.hasPrefix("https")),
            under: try snapshot(),
            at: now,
            requestID: RequestID(random: 42),
            auditIsHealthy: true
        )
    }

    func snapshot() throws -> Snapshot {
        Snapshot(
            generation: 1,
            server: ServerSettings(publicURL: url, requiresAudit: requiresAudit),
            accessKeys: try AccessKeyTable(),
            keyScopes: [:],
            apiKeys: try APIKeyTable(
                !hasUsers
                    ? []
                    : [
                        APIKeyTable.Entry(
                            digest: APIKeyDigest(of: Array(keyOfAlice.utf8)),
                            user: APIUser(name: "alice", role: .user, allowedBuckets: .named(["photos", "local"]))
                        ),
                        APIKeyTable.Entry(
                            digest: APIKeyDigest(of: Array("bob-key".utf8)),
                            user: APIUser(name: "bob", role: .user, allowedBuckets: .named([]))
                        ),
                    ]
            ),
            admins: admins,
            policies: policies,
            limits: .unlimited,
            ownLimits: [:],
            openAccount: nil,
            buckets: buckets,
            urlKeys: URLKeyring(secret: Secret(Array(repeating: 7, count: 32))),
            uploads: uploads
        )
    }
}

/// A bucket at a store that nobody asks.
func photos() throws -> Bucket {
    let endpoint = try #require(Endpoint(url: "http://store"))
    return Bucket(
        name: try #require(BucketName(validating: "photos")),
        backend: S3Backend(
            endpoint: endpoint,
            region: "us-east-1",
            bucketName: "photos",
            prefix: "",
            signer: SigV4Signer(accessKeyID: "AK", secret: Secret("s"), region: "us-east-1")
        ),
        upstream: Upstream(name: "photos", endpoint: endpoint),
        hardening: []
    )
}

/// An answer, its body read.
struct APIReply {
    let status: Int
    let fields: FieldBlock
    let body: JSONObject
    let reason: String

    init(_ reply: Reply) throws {
        status = reply.status
        fields = reply.fields
        reason = reply.reason
        body = reply.body.isEmpty ? JSONObject() : try #require(JSONObject(try StrictJSON(parsing: reply.body)))
    }

    var error: String? { body.object("error")?.text("code") }
    var message: String? { body.object("error")?.text("message") }
}
