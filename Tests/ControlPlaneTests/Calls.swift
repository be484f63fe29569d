import Admission
import Backends
import Foundation
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@testable import ControlPlane

let noon = Instant(secondsSince1970: 1_800_000_000)

/// Calls of the JSON API through the pipeline, as alice, who may do everything in photos.
struct APICaller {
    let desk: Desk
    var key = "alice-key"
    var peer = "192.0.2.7"
    var policies = PolicySet()
    var buckets: [Bucket] = []

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
        var pipeline = Pipeline(limiter: Limiter(), tokens: NoTokens(), desk: desk)
        var plan = pipeline.decide(
            head,
            from: ConnectionFacts(peer: IPAddress(peer), isSecure: false),
            under: try snapshot(),
            at: noon,
            requestID: RequestID(random: 42),
            auditIsHealthy: true
        ).plan
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

    private func snapshot() throws -> Snapshot {
        Snapshot(
            generation: 1,
            server: ServerSettings(publicURL: "https://files.example.com"),
            accessKeys: try AccessKeyTable(),
            keyScopes: [:],
            apiKeys: try APIKeyTable([
                APIKeyTable.Entry(
                    digest: APIKeyDigest(of: Array("alice-key".utf8)),
                    user: APIUser(name: "alice", role: .user, allowedBuckets: .named(["photos", "local"]))
                ),
                APIKeyTable.Entry(
                    digest: APIKeyDigest(of: Array("bob-key".utf8)),
                    user: APIUser(name: "bob", role: .user, allowedBuckets: .named([]))
                ),
            ]),
            admins: [],
            policies: policies,
            limits: .unlimited,
            ownLimits: [:],
            openAccount: nil,
            buckets: buckets
        )
    }
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
