import Admission
import Crypto
import HTTP1
import Identity
import S3API
import STSAPI
import Signatures
import Testing
import WireFormats

@testable import Pipeline

/// STS and what is done with its sessions, without a socket.
@Suite("Sessions are issued, used, narrowed and ended")
struct SessionTests {
    private let book = RevocationBook()

    private static let identity = TokenIdentity(
        provider: "ci",
        subject: "repo:org/app:main",
        claims: ["iss": "https://ci.example.com", "sub": "repo:org/app:main", "org": "acme", "secret": "hush"],
        document: Array(
            #"{"iss":"https://ci.example.com","sub":"repo:org/app:main","aud":"files","org":"acme"}"#.utf8
        ),
        expiresAt: noon + .seconds(300)
    )

    private func role(
        _ id: String = "deployer",
        scopes: [ScopeTemplate]? = nil,
        principals: [String] = [],
        longest: Duration = .seconds(3600)
    ) throws -> Role {
        Role(
            id: id,
            trust: RoleTrust(
                issuers: ["https://ci.example.com"],
                audiences: ["files"],
                subjects: [SubjectPattern("repo:org/app:*")],
                principals: try principals.map { try PrincipalPattern(parsing: $0) }
            ),
            scopes: try scopes ?? [Self.template("docs", ["{org}/"], "*")],
            longestSession: longest
        )
    }

    private static func template(_ bucket: String, _ prefixes: [String], _ actions: String) throws -> ScopeTemplate {
        let actions = try #require(ActionSet(named: actions))
        return try ScopeTemplate(bucket: bucket, prefixes: prefixes, actions: actions, namesEveryAction: false)
    }

    private func gate(
        _ roles: [Role],
        finding: TokenFinding = .verified(identity)
    ) throws -> Gate {
        var gate = Gate(tokens: Exchange(finding: finding), revocations: book)
        gate.roles = roles
        gate.sessionKeys = SessionKeyring(keys: [try #require(SessionKey(Array(repeating: 3, count: 32)))])
        return gate
    }

    private static let exchange =
        "Action=AssumeRoleWithWebIdentity&Version=2011-06-15&RoleSessionName=run-1&RoleArn=deployer"
        + "&WebIdentityToken=aaa.bbb.ccc"

    /// The decision about a form that is posted, whatever it has to wait for.
    private func asked(_ form: String, _ gate: inout Gate, call: Call? = nil, at now: Instant = noon) async throws
        -> Decision
    {
        let call = call ?? Self.post(form)
        var decision = try gate.decide(call, at: now)
        while true {
            switch decision.plan {
            case .collect(_, let then):
                guard case .reconsider(let findings) = then(Array(form.utf8)) else { return decision }
                decision = try gate.decide(call, at: now, knowing: findings)
            case .wait(let make):
                guard case .reconsider(let findings) = await make() else { return decision }
                decision = try gate.decide(call, at: now, knowing: findings)
            default: return decision
            }
        }
    }

    private static func post(_ form: String) -> Call {
        Call(
            "POST",
            "/",
            [("content-type", "application/x-www-form-urlencoded; charset=utf-8")],
            length: Int64(form.utf8.count)
        )
    }

    /// The document that is answered.
    private func document(_ decision: Decision) throws -> String {
        switch decision.plan {
        case .reply(let reply): return text(reply.body)
        case .issue(let issue):
            switch issue.make((0..<UInt8(issue.randomBytes)).map { $0 }) {
            case .issued(_, let reply), .refused(let reply, _): return text(reply.body)
            }
        default:
            Issue.record("no answer: \(decision.plan)")
            return ""
        }
    }

    private func credentials(_ decision: Decision) throws -> Credentials {
        let document = try document(decision)
        func element(_ name: String) throws -> String {
            let start = try #require(document.firstRange(of: "<\(name)>"), "\(document)").upperBound
            return String(document[start...].prefix { $0 != "<" })
        }
        return Credentials(
            id: try element("AccessKeyId"),
            secret: try element("SecretAccessKey"),
            token: try element("SessionToken"),
            expiration: try element("Expiration")
        )
    }

    // MARK: - Tokens of identity providers

    @Test("A token is exchanged for a session that may what the role may, for that token's claims")
    func exchangeAndUse() async throws {
        var gate = try gate([role()])
        let decision = try await asked(Self.exchange, &gate)
        #expect(decision.principal == .role(id: "deployer", session: "run-1") && decision.outcome == .allowed)
        #expect(decision.operation.description == "assume_role_with_web_identity")
        let session = try credentials(decision)
        #expect(session.expiration == Timestamp.iso8601(noon + .seconds(3600)))
        #expect(!text(Base64URL.decode(session.token.utf8) ?? []).contains("hush"))

        let mine = try gate.decide(Call("GET", "/docs/acme/a").signed(by: session))
        #expect(mine.outcome == .allowed && mine.principal == .role(id: "deployer", session: "run-1"))
        #expect(mine.reason.hasPrefix("scope; session "))
        try expect(403, .accessDenied, gate.decide(Call("GET", "/docs/other/a").signed(by: session)))
        try expect(403, .accessDenied, gate.decide(Call("GET", "/photos/acme/a").signed(by: session)))
        // As a presigned URL too.
        #expect(try gate.decide(Call("GET", "/docs/acme/a").presigned(by: session)).outcome == .allowed)
        try expect(403, .accessDenied, gate.decide(Call("GET", "/docs/other/a").presigned(by: session)))
    }

    @Test(
        "What a role does not trust is refused with the code of the API, and nothing is issued",
        arguments: [
            (TokenFinding.refused(reason: "x", failure: "expired_token"), 400, "ExpiredTokenException"),
            (.refused(reason: "x", failure: "token_signature"), 400, "InvalidIdentityToken"),
            (.refused(reason: "x", failure: "token_audience"), 400, "InvalidIdentityToken"),
            (.refused(reason: "x", failure: "token_claims"), 403, "IDPRejectedClaim"),
            (.unavailable(reason: "x"), 400, "IDPCommunicationError"),
            (.verified(changed(["sub": "repo:org/app-evil:main"])), 403, "AccessDenied"),
            (.verified(changed(["iss": "https://evil.example.com"])), 403, "AccessDenied"),
            (.verified(changed(["sub": ""])), 403, "AccessDenied"),
            (.verified(changed([:], audience: "other")), 403, "AccessDenied"),
        ] as [(TokenFinding, Int, String)]
    )
    func untrusted(finding: TokenFinding, status: Int, code: String) async throws {
        var gate = try gate([role()], finding: finding)
        let decision = try await asked(Self.exchange, &gate)
        guard case .reply(let reply) = decision.plan else {
            Issue.record("a session was issued")
            return
        }
        #expect(reply.status == status && text(reply.body).contains("<Code>\(code)</Code>"))
        #expect(decision.outcome != .allowed)
    }

    private static func changed(_ claims: [String: String], audience: String = "files") -> TokenIdentity {
        TokenIdentity(
            provider: "ci",
            subject: "s",
            claims: identity.claims.merging(claims) { $1 },
            document: Array(#"{"iss":"i","sub":"s","aud":"\#(audience)"}"#.utf8),
            expiresAt: identity.expiresAt
        )
    }

    @Test("A role nobody knows is refused like any other, and so is a second credential")
    func strangers() async throws {
        var gate = try gate([role()])
        let unknown = try await asked(Self.exchange.replacing("deployer", with: "other"), &gate)
        #expect(try document(unknown).contains("<Code>AccessDenied</Code>"))
        #expect(unknown.outcome == .denied)
        let own = try await asked(Self.exchange.replacing("deployer", with: "self"), &gate)
        #expect(try document(own).contains("<Code>AccessDenied</Code>"))
        let two = try await asked(Self.exchange, &gate, call: Self.post(Self.exchange).by(.alice))
        #expect(try document(two).contains("InvalidParameterCombination"))
    }

    @Test("A claim that a template needs and the token lacks permits nothing there")
    func missingClaim() async throws {
        let templates = [try Self.template("docs", ["{team}/"], "*"), try Self.template("photos", [], "read")]
        var gate = try gate([role(scopes: templates)])
        let session = try credentials(await asked(Self.exchange, &gate))
        #expect(try gate.decide(Call("GET", "/photos/a").signed(by: session)).outcome == .allowed)
        for path in ["/docs/a", "/docs//a", "/docs/%7Bteam%7D/a"] {
            try expect(403, .accessDenied, gate.decide(Call("GET", path).signed(by: session)))
        }
    }

    @Test("It lasts as long as was asked for, and never longer than the role permits")
    func durations() async throws {
        var gate = try gate([role(longest: .seconds(1800))])
        for (asked, lasts) in [("", 1800), ("&DurationSeconds=900", 900), ("&DurationSeconds=43200", 1800)] {
            let session = try credentials(await self.asked(Self.exchange + asked, &gate))
            #expect(session.expiration == Timestamp.iso8601(noon + .seconds(lasts)))
        }
        let session = try credentials(await asked(Self.exchange, &gate))
        let late = noon + .seconds(1800)
        try expect(400, .expiredToken, gate.decide(Call("GET", "/docs/acme/a").signed(by: session, at: late), at: late))
        let url = Call("GET", "/docs/acme/a").presigned(by: session, expiresIn: .seconds(7200))
        #expect(try gate.decide(url, at: late - .seconds(1)).outcome == .allowed)
        try expect(400, .expiredToken, gate.decide(url, at: late))
    }

    // MARK: - What it takes to use one

    @Test("Id, secret and token only fit together")
    func mixedUp() async throws {
        var gate = try gate([role()])
        let session = try credentials(await asked(Self.exchange, &gate))
        let call = Call("GET", "/docs/acme/a")
        var other = session
        other.secret = "wrong"
        try expect(403, .signatureDoesNotMatch, gate.decide(call.signed(by: other)))
        other = session
        other.token = String(session.token.dropLast())
        try expect(400, .invalidToken, gate.decide(call.signed(by: other)))
        other = session
        other.id = "GHSTS" + String(repeating: "0", count: 32)
        try expect(400, .invalidToken, gate.decide(call.signed(by: other)))
        // A bearer token put where a session token belongs.
        other = session
        other.token = "aaa.bbb.ccc"
        try expect(400, .invalidToken, gate.decide(call.signed(by: other)))
        // A session token beside an access key of the configuration.
        try expect(400, .invalidToken, gate.decide(call.with("x-amz-security-token", session.token).signed(by: .full)))
        // Once it is known, another token of its id is not taken for it.
        #expect(try gate.decide(call.signed(by: session)).outcome == .allowed)
        other = session
        other.token = session.token + "A"
        try expect(400, .invalidToken, gate.decide(call.signed(by: other)))
    }

    @Test("What a session may is looked up at every use: a role that changes or goes takes effect at once")
    func changedRoles() async throws {
        var gate = try gate([role()])
        let session = try credentials(await asked(Self.exchange, &gate))
        let call = Call("GET", "/docs/acme/a").signed(by: session)
        #expect(try gate.decide(call).outcome == .allowed)
        gate.roles = [try role(scopes: [Self.template("photos", [], "read")])]
        try expect(403, .accessDenied, gate.decide(call))
        gate.roles = []
        try expect(400, .invalidToken, gate.decide(call))
    }

    @Test("Sessions are 503 while nobody knows whether they were ended, and no more are issued")
    func away() async throws {
        var gate = try gate([role()])
        let session = try credentials(await asked(Self.exchange, &gate))
        book.vouch(until: noon + .seconds(60))
        let (call, late) = (Call("GET", "/docs/acme/a"), noon + .seconds(61))
        #expect(try gate.decide(call.signed(by: session)).outcome == .allowed)
        try expect(503, .serviceUnavailable, gate.decide(call.signed(by: session, at: late), at: late))
        try expect(503, .serviceUnavailable, gate.decide(call.presigned(by: session), at: late))
        // A wrong signature is wrong all the same.
        var stranger = session
        stranger.secret = "wrong"
        try expect(403, .signatureDoesNotMatch, gate.decide(call.signed(by: stranger, at: late), at: late))
        let refused = try await asked(Self.exchange, &gate, at: late)
        guard case .reply(let reply) = refused.plan else {
            Issue.record("a session was issued")
            return
        }
        #expect(reply.status == 503 && text(reply.body).contains("<Code>ServiceUnavailable</Code>"))
        #expect(reply.fields.string("retry-after") == "5")
        #expect(try gate.decide(call.signed(by: .full, at: late), at: late).outcome == .allowed)
    }

    // MARK: - Session policies

    private static let readOnly =
        #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","#
        + #""Resource":"arn:aws:s3:::docs/acme/public/*"}]}"#

    private static func encoded(_ text: String) -> String {
        String(decoding: PercentEncoding.encode(text.utf8, keepSlash: .encode), as: UTF8.self)
    }

    @Test("A session policy narrows and never widens, what it rests on too")
    func sessionPolicy() async throws {
        var gate = try gate([role()])
        let policy = "&Policy=" + Self.encoded(Self.readOnly)
        let session = try credentials(await asked(Self.exchange + policy, &gate))
        #expect(try gate.decide(Call("GET", "/docs/acme/public/a").signed(by: session)).outcome == .allowed)
        for call in [Call("PUT", "/docs/acme/public/a", length: 0), Call("GET", "/docs/acme/a"), Call("GET", "/")] {
            try expect(403, .accessDenied, gate.decide(call.signed(by: session)))
        }
        let wide = #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}"#
        let form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=child&Policy=" + Self.encoded(wide)
        let child = try credentials(await asked(form, &gate, call: Self.post(form).signed(for: form, by: session)))
        #expect(try gate.decide(Call("GET", "/docs/acme/public/a").signed(by: child)).outcome == .allowed)
        try expect(403, .accessDenied, gate.decide(Call("GET", "/docs/acme/a").signed(by: child)))
        try expect(403, .accessDenied, gate.decide(Call("GET", "/photos/a").signed(by: child)))
    }

    /// As many patterns as fit, which a version of many letters comes close to matching.
    private static let costly: String = {
        let patterns = (0..<180).map { "\"*a*a\($0 % 10)\"" }.joined(separator: ",")
        return #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},"#
            + #"{"Effect":"Deny","Action":"s3:Delete*","Resource":"*","Condition":{"StringLike":{"s3:VersionId":["#
            + patterns + "]}}}]}"
    }()

    private func deletion(of count: Int, under policy: String?) async throws -> Plan {
        var gate = try gate([role()])
        let session = try credentials(
            await asked(Self.exchange + (policy.map { "&Policy=" + Self.encoded($0) } ?? ""), &gate)
        )
        let version = String(repeating: "a", count: 1000)
        let keys = (0..<count).map { "<Object><Key>acme/\($0)</Key><VersionId>\(version)</VersionId></Object>" }
        return try gate.decide(Call("POST", "/docs?delete", length: 500).signed(by: session)).plan
            .given(body: "<Delete>" + keys.joined() + "</Delete>")
    }

    @Test("A batch of a few keys holds its event loop for as long as a session's own policy makes it last")
    func costlyBatch() async throws {
        guard case .wait(let make) = try await deletion(of: 2, under: Self.costly) else {
            Issue.record("it was decided on the event loop")
            return
        }
        #expect(try await make().forward().document?.split(separator: "<Key>").count == 3)
        // As every other request, one key is decided where it came; and so are a few by the configuration alone.
        _ = try await deletion(of: 1, under: Self.costly).forward()
        _ = try await deletion(of: 64, under: nil).forward()
    }

    @Test("A batch goes on being decided though its client is gone", arguments: [costly, nil])
    func abandonedBatch(policy: String?) async throws {
        guard case .wait(let make) = try await deletion(of: 1000, under: policy) else {
            Issue.record("it was decided on the event loop")
            return
        }
        let plan = await Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await make()
        }.value
        #expect(try plan.reply().status == 503)
    }

    @Test("A policy that is none is refused")
    func brokenPolicy() async throws {
        var gate = try gate([role()])
        for policy in ["{}", "[]", "nonsense", #"{"Version":"2012-10-17","Statement":[{"Effect":"Alow"}]}"#] {
            let decision = try await asked(Self.exchange + "&Policy=" + Self.encoded(policy), &gate)
            #expect(try document(decision).contains("<Code>MalformedPolicyDocument</Code>"), "\(policy)")
        }
    }

    // MARK: - AssumeRole

    private static let assume = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=child"

    @Test("Own rights for a session, never longer than what it rests on")
    func ownRights() async throws {
        var gate = try gate([])
        let session = try credentials(
            await asked(Self.assume, &gate, call: Self.post(Self.assume).signed(for: Self.assume, by: Key.models))
        )
        let mine = try gate.decide(Call("GET", "/photos/models/a").signed(by: session))
        #expect(mine.outcome == .allowed && mine.principal == .key("akmodels"))
        try expect(403, .accessDenied, gate.decide(Call("GET", "/photos/a").signed(by: session)))

        let form = Self.assume + "&DurationSeconds=43200"
        let child = try credentials(await asked(form, &gate, call: Self.post(form).signed(for: form, by: session)))
        #expect(child.expiration == session.expiration)
    }

    @Test("Into a role only who is listed there, whatever else they may")
    func trustedPrincipals() async throws {
        let form = Self.assume + "&RoleArn=arn:aws:iam::123456789012:role/deployer"
        var gate = try gate([role(scopes: [Self.template("docs", [], "read")], principals: ["key:akmodels"])])
        let session = try credentials(await asked(form, &gate, call: Self.post(form).signed(for: form, by: Key.models)))
        #expect(try gate.decide(Call("GET", "/docs/a").signed(by: session)).outcome == .allowed)
        try expect(403, .accessDenied, gate.decide(Call("GET", "/photos/models/a").signed(by: session)))
        for call in [Self.post(form).signed(for: form, by: Key.full), Self.post(form).by(.alice)] {
            let refused = try await asked(form, &gate, call: call)
            #expect(try document(refused).contains("<Code>AccessDenied</Code>") && refused.outcome == .denied)
        }
        let nobody = try await asked(form, &gate)
        #expect(try document(nobody).contains("<Code>MissingAuthenticationToken</Code>"))
    }

    @Test("The signature is of the service sts, and covers the form")
    func signatures() async throws {
        var gate = try gate([])
        let other = Self.assume.replacing("child", with: "other")
        let swapped = try await asked(other, &gate, call: Self.post(other).signed(for: Self.assume, by: Key.full))
        #expect(try document(swapped).contains("<Code>SignatureDoesNotMatch</Code>"))
        let unsigned = Self.post(Self.assume).signed(for: nil, by: Key.full)
        #expect(try document(await asked(Self.assume, &gate, call: unsigned)).contains("SignatureDoesNotMatch"))
        let s3 = try await asked(Self.assume, &gate, call: Self.post(Self.assume).signed(by: .full))
        guard case .reply(let reply) = s3.plan else {
            Issue.record("a session was issued")
            return
        }
        #expect(reply.status >= 400)
        // And one of sts is none of S3's.
        let list = Call("GET", "/docs/a").signed(for: "", by: Key.full)
        #expect(try gate.decide(list).outcome == .unauthenticated)
    }

    @Test("Sessions upon sessions end somewhere")
    func depth() async throws {
        var gate = try gate([])
        var session = try credentials(
            await asked(Self.assume, &gate, call: Self.post(Self.assume).signed(for: Self.assume, by: Key.full))
        )
        for _ in 1..<Session.deepest {
            let call = Self.post(Self.assume).signed(for: Self.assume, by: session)
            session = try credentials(await asked(Self.assume, &gate, call: call))
        }
        let call = Self.post(Self.assume).signed(for: Self.assume, by: session)
        #expect(try document(await asked(Self.assume, &gate, call: call)).contains("<Code>AccessDenied</Code>"))
    }

    @Test("Everybody may ask who they are, by header and by query")
    func callerIdentity() async throws {
        var gate = try gate([role()])
        let form = "Action=GetCallerIdentity&Version=2011-06-15"
        let key = try await asked(form, &gate, call: Self.post(form).signed(for: form, by: Key.full))
        #expect(
            try document(key).contains("<Arn>arn:aws:iam::000000000000:user/akfull</Arn><UserId>key:akfull</UserId>")
        )
        let session = try credentials(await asked(Self.exchange, &gate))
        let signed = Call("GET", "/?" + form).signed(for: "", by: session)
        let own = try document(await asked("", &gate, call: signed))
        #expect(own.contains("<Arn>arn:aws:sts::000000000000:assumed-role/deployer/run-1</Arn>"))
        let reserved = Call("GET", "/-/sts?" + form).by(.alice)
        #expect(try document(await asked("", &gate, call: reserved)).contains("<UserId>user:alice</UserId>"))
    }

    // MARK: - Revocation

    @Test("A session that is revoked takes along what was got with it, and nothing else")
    func revokedSession() async throws {
        var gate = try gate([role(principals: ["role:deployer:*"])])
        let first = try credentials(await asked(Self.exchange, &gate))
        let form = Self.assume + "&RoleArn=deployer"
        let child = try credentials(await asked(form, &gate, call: Self.post(form).signed(for: form, by: first)))
        let use = Call("GET", "/docs/acme/a")
        #expect(try gate.decide(use.signed(by: child)).outcome == .allowed)
        let id = try #require(SessionKeyring.sessionID(in: first.id))
        book.update { $0.end(.session(id), issuedUpTo: noon, isBlocked: false) }
        for session in [first, child] {
            let decision = try gate.decide(use.signed(by: session))
            try expect(400, .expiredToken, decision)
            #expect(decision.failureName == "revoked")
        }
        #expect(
            try document(await asked(form, &gate, call: Self.post(form).signed(for: form, by: first))).contains(
                "ExpiredToken"
            )
        )
    }

    @Test("A role's sessions end up to an instant; blocked, none is issued or good until that is lifted")
    func revokedRole() async throws {
        var gate = try gate([role()])
        let use = Call("GET", "/docs/acme/a")
        let old = try credentials(await asked(Self.exchange, &gate))
        book.update { $0.end(.role("deployer"), issuedUpTo: noon, isBlocked: false) }
        try expect(400, .expiredToken, gate.decide(use.signed(by: old)))
        let later = noon + .milliseconds(1)
        let new = try credentials(await asked(Self.exchange, &gate, at: later))
        #expect(try gate.decide(use.signed(by: new), at: later).outcome == .allowed)
        book.update { $0.end(.role("deployer"), issuedUpTo: noon, isBlocked: true) }
        try expect(400, .expiredToken, gate.decide(use.signed(by: new), at: later))
        #expect(try document(await asked(Self.exchange, &gate, at: later)).contains("<Code>AccessDenied</Code>"))
    }

    @Test("Whatever was issued to somebody ends with a revocation, and a block ends their own credential too")
    func revokedCaller() async throws {
        var gate = try gate([])
        let call = Self.post(Self.assume).signed(for: Self.assume, by: Key.full)
        let session = try credentials(await asked(Self.assume, &gate, call: call))
        let use = Call("GET", "/docs/a")
        #expect(try gate.decide(use.signed(by: session)).outcome == .allowed)
        book.update { $0.end(.principal(.key("akfull")), issuedUpTo: noon, isBlocked: false) }
        try expect(400, .expiredToken, gate.decide(use.signed(by: session)))
        #expect(try gate.decide(use.signed(by: .full)).outcome == .allowed)
        book.update { $0.end(.principal(.key("akfull")), issuedUpTo: noon, isBlocked: true) }
        try expect(400, .expiredToken, gate.decide(use.signed(by: .full)))
        book.update { $0.end(.principal(.user("alice")), issuedUpTo: noon, isBlocked: true) }
        try expect(400, .expiredToken, gate.decide(use.by(.alice)))
    }

    @Test("A session ends with the key that it was got with, and so does what was got with it; one of a token does not")
    func rotatedKey() async throws {
        var gate = try gate([role(principals: ["user:alice", "key:akfull"])])
        gate.policies = try .everything(for: "user:alice")
        let form = Self.assume + "&RoleArn=deployer"
        let ofKey = try credentials(
            await asked(Self.assume, &gate, call: Self.post(Self.assume).signed(for: Self.assume, by: Key.full))
        )
        let ofUser = try credentials(await asked(form, &gate, call: Self.post(form).by(.alice)))
        let child = try credentials(
            await asked(Self.assume, &gate, call: Self.post(Self.assume).signed(for: Self.assume, by: ofKey))
        )
        let ofToken = try credentials(await asked(Self.exchange, &gate))
        let uses = [(ofKey, "/docs/a"), (child, "/docs/a"), (ofUser, "/docs/a"), (ofToken, "/docs/acme/a")]
        func outcomes() throws -> [Decision.Outcome] {
            try uses.map { try gate.decide(Call("GET", $0.1).signed(by: $0.0)).outcome }
        }
        #expect(try outcomes() == [.allowed, .allowed, .denied, .allowed])
        gate.keysAreNew = true
        #expect(try outcomes() == [.unauthenticated, .unauthenticated, .unauthenticated, .allowed])
        try expect(403, .invalidAccessKeyID, gate.decide(Call("GET", "/docs/a").signed(by: ofKey)))
        let again = Self.post(Self.assume).signed(for: Self.assume, by: ofKey)
        #expect(
            try document(await asked(Self.assume, &gate, call: again)).contains("<Code>InvalidClientTokenId</Code>")
        )
    }

    @Test("A role's sessions by other names draw on the same budget, those of somebody else on another")
    func budgets() async throws {
        var gate = try gate([
            role(scopes: [Self.template("docs", [], "*")], principals: ["key:akfull", "key:akreader"])
        ])
        var sessions: [[Credentials]] = [[], [], []]
        for name in ["one", "two", "three"] {
            let exchange = Self.exchange.replacing("run-1", with: name)
            sessions[0].append(try credentials(await asked(exchange, &gate)))
            let form = "Action=AssumeRole&Version=2011-06-15&RoleArn=deployer&RoleSessionName=" + name
            for (place, key) in [(1, Key.full), (2, Key.reader)] {
                let call = Self.post(form).signed(for: form, by: key)
                sessions[place].append(try credentials(await asked(form, &gate, call: call)))
            }
        }
        gate.limits = RequestLimits(requests: RateLimit(amount: 2, window: .seconds(60)))
        let call = Call("GET", "/docs/acme/a")
        for held in sessions {
            let outcomes = try held.map { "\(try gate.decide(call.signed(by: $0)).outcome)" }
            #expect(outcomes == ["allowed", "allowed", "limited"])
        }
    }

    @Test("What other gateways ask for a session that was revoked is refused too, and so is a route")
    func revokedElsewhere() async throws {
        var gate = try gate([role()])
        gate.gateways = GatewayRules(gateways: ["192.0.2.0/24"].compactMap { CIDR($0) })
        gate.routes = [try route("/files/{name}", bucket: "docs", key: "acme/{name}")]
        let session = try credentials(await asked(Self.exchange, &gate))
        let own = Call("GET", "/files/a").signed(by: session)
        var check = Call("GET", "/docs/acme/a").signed(by: session)
        check.path = "/-/authz/envoy" + check.path
        #expect(try gate.decide(own).outcome == .allowed)
        #expect(try gate.decide(check).outcome == .allowed)
        book.update { $0.end(.role("deployer"), issuedUpTo: noon, isBlocked: false) }
        #expect(try gate.decide(own).failureName == "revoked")
        #expect(try gate.decide(check).failureName == "revoked")
    }

    @Test("Tokens that were opened lately are few, of one configuration, and only those whose secret was shown")
    func openSessions() throws {
        let gate = try gate([role()])
        let snapshot = try gate.snapshot()
        let keys = try #require(gate.sessionKeys)
        var sessions = OpenSessions(capacity: 2)
        for number in 0..<5 {
            let session = Session(
                random: Array(repeating: UInt8(number), count: 16),
                name: "s",
                subject: .role("deployer"),
                issuedAt: noon,
                expiresAt: noon + .seconds(60)
            )
            let parts = try #require(keys.seal(session, nonce: Array(repeating: 0, count: 12)))
            let token = Array(parts.token.reveal().utf8)
            #expect(try sessions.open(token, accessKeyID: parts.accessKeyID, under: snapshot)?.session == session)
            if number == 0 {
                _ = try sessions.open([], accessKeyID: parts.accessKeyID, under: snapshot)
                sessions.keepNewcomer()
                #expect(sessions.count == 0)
            } else {
                sessions.keepNewcomer()
                #expect((1...2).contains(sessions.count))
            }
        }
    }

    // MARK: - Where it is asked

    @Test("On virtual hosts, and where no action is named, there is no STS")
    func elsewhere() async throws {
        var gate = try gate([role()])
        let host = try gate.decide(Self.post(Self.exchange).on(host: "docs.s3.example.com"))
        #expect(host.operation.description != "sts")
        let list = try gate.decide(Call("GET", "/").signed(by: .full))
        #expect(list.operation.description == "list_buckets")
        let empty = try await asked("", &gate, call: Self.post("a=b"))
        #expect(try document(empty).contains("<Code>MissingAction</Code>"))
        let both = Call("POST", "/?Action=GetCallerIdentity", Self.post("").fields, length: 1)
        #expect(try document(await asked("a", &gate, call: both)).contains("InvalidParameterCombination"))
        let head = try gate.decide(Call("PUT", "/-/sts"))
        #expect(try document(head).contains("InvalidAction"))
    }

    @Test("One address is answered so often and no more")
    func rate() async throws {
        var gate = try gate([role()])
        let call = Call("GET", "/?Action=GetCallerIdentity&Version=2011-06-15")
        var statuses: [Int] = []
        for _ in 0..<601 {
            guard case .reply(let reply) = try gate.decide(call).plan else { continue }
            statuses.append(reply.status)
        }
        #expect(statuses.count == 601 && statuses.last == 429)
        guard case .reply(let other) = try gate.decide(call, from: "192.0.2.200").plan else { return }
        #expect(other.status == 403)
    }
}

/// What STS answered.
struct Credentials {
    var id: String
    var secret: String
    var token: String
    var expiration: String

    fileprivate func signer(_ service: String = "s3") -> SigV4Signer {
        SigV4Signer(
            accessKeyID: id,
            secret: Secret(secret),
            sessionToken: Secret(token),
            region: "us-east-1",
            service: service
        )
    }
}

extension Key {
    fileprivate func signer(_ service: String) -> SigV4Signer {
        SigV4Signer(accessKeyID: rawValue, secret: Secret(secret), region: "us-east-1", service: service)
    }
}

extension Call {
    fileprivate func signed(by session: Credentials, at now: Instant = noon) -> Call {
        signed(session.signer(), framing == .none || framing == .length(0) ? .empty : .unsigned, at: now)
    }

    /// As SDKs sign for STS: with the hash of the body. Nil: as if the body were not signed.
    fileprivate func signed(for body: String?, by session: Credentials) -> Call {
        signed(session.signer("sts"), body, at: noon)
    }

    fileprivate func signed(for body: String?, by key: Key) -> Call { signed(key.signer("sts"), body, at: noon) }

    private func signed(_ signer: SigV4Signer, _ body: String?, at now: Instant) -> Call {
        signed(signer, body.map { .sha256(Array(SHA256.hash(data: Array($0.utf8)))) } ?? .unsigned, at: now)
    }

    private func signed(_ signer: SigV4Signer, _ payload: PayloadHash, at now: Instant) -> Call {
        var canonical: [UInt8] = []
        (try? Query(parsing: (query ?? "").utf8))?.appendCanonical(to: &canonical)
        var request = OutgoingRequest(method: HTTPMethod(method.utf8), path: Array(path.utf8), query: canonical)
        request.fields.append("host", host)
        for (name, value) in fields { request.fields.append(name.utf8, value.utf8) }
        signer.sign(&request, payload: payload, at: now)
        var call = self
        call.fields = request.fields.entries.dropFirst().map { entry in
            (text(request.fields.name(entry)), text(request.fields.value(entry)))
        }
        return call
    }

    fileprivate func presigned(by session: Credentials, expiresIn lifetime: Duration = .seconds(3600)) -> Call {
        var block = FieldBlock()
        block.append("host", host)
        var call = self
        call.query = text(
            session.signer().presign(
                HTTPMethod(method.utf8),
                path: Array(path.utf8),
                query: Query(),
                fields: block,
                expiresIn: lifetime,
                at: noon
            )
        )
        return call
    }
}

/// Finds what it was made with, for sessions alone.
private struct Exchange: TokenVerifier {
    let finding: TokenFinding

    func known(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) -> TokenFinding? {
        .refused(reason: "not for bearers", failure: "unknown_issuer")
    }

    func verify(_ token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
        .refused(reason: "not for bearers", failure: "unknown_issuer")
    }

    func verify(forSession token: BearerToken, under snapshot: Snapshot, at now: Instant) async -> TokenFinding {
        finding
    }
}
