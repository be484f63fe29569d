package import Admission
import Backends
import HTTPTypes
import Hummingbird
import Identity
import NIOCore
package import Pipeline
import WireFormats

/// What a request is explained by: the configuration in force, who verifies tokens, and the application that is asked.
package struct ExplainBasis: Sendable {
    package var snapshot: Snapshot
    package var tokens: any TokenVerifier
    package var authorizer: any Authorizer
    package var grants: GrantSource?
    package var revocations: RevocationBook?

    package init(
        snapshot: Snapshot,
        tokens: any TokenVerifier,
        authorizer: any Authorizer = NoAuthorizer(),
        grants: GrantSource? = nil,
        revocations: RevocationBook? = nil
    ) {
        self.snapshot = snapshot
        self.tokens = tokens
        self.authorizer = authorizer
        self.grants = grants
        self.revocations = revocations
    }
}

/// `POST /api/explain`: what Gatehouse makes of a captured request, and why. Takes the capture as it is, or a JSON object
/// with circumstances beside it; answers JSON, or text for people where `Accept` asks for `text/plain`.
struct ExplainRoute: Sendable {
    let sources: AdminSources

    /// A captured body is of use for its hash alone; more than this is not needed to explain anything.
    private static let longest = 4 << 20

    func add(to router: Router<AdminContext>) {
        router.post("/api/explain") { request, _ in
            let body = try await request.body.collect(upTo: Self.longest)
            let isJSON = request.onlyField("content-type")?.lowercased().hasPrefix("application/json") == true
            do {
                let question = try ExplainQuestion(Array(body.readableBytesView), isJSON ? .json : .capture)
                let (captured, explanation) = try await explain(question)
                let asksForText = request.onlyField("accept")?.contains("text/plain") == true
                var response =
                    asksForText
                    ? AdminReply.bytes(
                        Array(ExplanationText(explanation, captured).text.utf8),
                        type: "text/plain; charset=utf-8"
                    )
                    : AdminReply.bytes(explanation.json(captured).text, type: "application/json")
                if let outcome = HTTPField.Name("x-gatehouse-outcome") {
                    response.headers[outcome] = explanation.decision.outcome
                }
                return response
            } catch let failure as CaptureFailure {
                return AdminReply.refusal(.unprocessableContent, "NotUnderstood", "Not understood: \(failure.message)")
            }
        }
    }

    private func explain(
        _ question: ExplainQuestion
    ) async throws(CaptureFailure) -> (captured: CapturedRequest, Explanation) {
        let basis = sources.explainBasis()
        let captured = try CapturedRequest(parsing: question.capture, limits: basis.snapshot.server.headLimits)
        let publicIsSecure = basis.snapshot.server.view.publicURL.hasPrefix("https:")
        let explanation = await Explainer(
            tokens: TokensOfNow(tokens: basis.tokens, now: sources.now),
            authorizer: AuthorizerOfNow(authorizer: basis.authorizer, now: sources.now),
            grants: basis.grants,
            revocations: basis.revocations
        ).explain(
            captured.head,
            body: captured.body,
            otherHosts: question.hosts,
            from: ConnectionFacts(
                peer: question.source,
                isSecure: question.isSecure ?? captured.isSecure ?? publicIsSecure
            ),
            under: basis.snapshot,
            at: question.at ?? sources.now()
        )
        return (captured, explanation)
    }
}

/// Tokens are judged at this moment, whatever moment is asked about: what comes of it is remembered for serving.
private struct TokensOfNow: TokenVerifier {
    let tokens: any TokenVerifier
    let now: @Sendable () -> Instant

    func known(_ token: BearerToken, under snapshot: Snapshot, at _: Instant) -> TokenFinding? {
        tokens.known(token, under: snapshot, at: now())
    }

    func verify(_ token: BearerToken, under snapshot: Snapshot, at _: Instant) async -> TokenFinding {
        await tokens.verify(token, under: snapshot, at: now())
    }
}

/// The same for the application's answers.
private struct AuthorizerOfNow: Authorizer {
    let authorizer: any Authorizer
    let now: @Sendable () -> Instant

    func known(_ question: ApplicationQuestion, under snapshot: Snapshot, at _: Instant) -> [ApplicationVerdict]? {
        authorizer.known(question, under: snapshot, at: now())
    }

    func verdicts(
        on question: ApplicationQuestion,
        under snapshot: Snapshot,
        at _: Instant
    ) async -> [ApplicationVerdict] {
        await authorizer.verdicts(on: question, under: snapshot, at: now())
    }
}

/// What is asked: the capture, and what it does not say of itself.
struct ExplainQuestion: Sendable {
    enum Form { case json, capture }

    let capture: [UInt8]
    /// The other end of the connection.
    let source: IPAddress?
    /// Judged at this time; nil: now.
    let at: Instant?
    let isSecure: Bool?
    /// Further hosts that the client may have signed for.
    let hosts: [String]

    private static let shape = JSONShape.object([
        JSONMember("request", .text(JSONText(1...(4 << 20))), .required),
        JSONMember("source_ip", .text(JSONText(1...64)), .optional),
        JSONMember("at", .text(JSONText(1...64, .instant)), .optional),
        JSONMember("secure", .boolean, .optional),
        JSONMember("hosts", .array(of: .text(JSONText(1...255)), count: 0...16), .optional),
    ])

    init(_ body: [UInt8], _ form: Form) throws(CaptureFailure) {
        guard case .json = form else {
            capture = body
            (source, at, isSecure, hosts) = (nil, nil, nil, [])
            return
        }
        let object: JSONObject
        do {
            let document = try StrictJSON(parsing: body)
            try Self.shape.check(document)
            guard let members = JSONObject(document) else { throw CaptureFailure("the body is no JSON object") }
            object = members
        } catch let error as StrictJSONError {
            throw CaptureFailure("the body is not a JSON document: \(error.path): \(error.message)")
        } catch let failure as CaptureFailure {
            throw failure
        } catch {
            throw CaptureFailure("\(error)")
        }
        capture = Array((object.text("request") ?? "").utf8)
        at = object.instant("at")
        isSecure = object.boolean("secure")
        hosts = object.texts("hosts") ?? []
        guard let address = object.text("source_ip") else {
            source = nil
            return
        }
        guard let source = IPAddress(address) else { throw CaptureFailure("'source_ip' is no address") }
        self.source = source
    }
}
