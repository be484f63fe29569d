import Crypto
import HTTP1
import Identity
import Signatures
import WireFormats

/// AWS's Security Token Service, and stores that speak like it: requests and the reading of answers (STS API reference,
/// version 2011-06-15: AssumeRoleWithWebIdentity, AssumeRole).
struct SecurityTokenService: Sendable {
    static let sessionName = "gatehouse"
    private static let version = "2011-06-15"

    let endpoint: ServiceURL
    let region: String

    enum Action: String, Sendable {
        case withWebIdentity = "AssumeRoleWithWebIdentity"
        case assumeRole = "AssumeRole"
    }

    /// Not signed: the token is what proves who asks.
    func assumeRole(_ roleARN: String, withWebIdentity token: Secret<String>) -> ExchangeRequest {
        ExchangeRequest(
            .post,
            url,
            fields: [("content-type", Self.form)],
            body: ExchangeRequest.formBody([
                ("Action", Action.withWebIdentity.rawValue), ("Version", Self.version), ("RoleArn", roleARN),
                ("RoleSessionName", Self.sessionName), ("WebIdentityToken", token.reveal()),
            ])
        )
    }

    /// Signed with the credential that goes before.
    func assumeRole(_ roleARN: String, with pair: AccessKeyPair, at now: Instant) -> ExchangeRequest {
        let body = ExchangeRequest.formBody([
            ("Action", Action.assumeRole.rawValue), ("Version", Self.version), ("RoleArn", roleARN),
            ("RoleSessionName", Self.sessionName),
        ])
        var request = OutgoingRequest(method: .post, path: Array(endpoint.path.utf8))
        request.fields.append("host", endpoint.authority)
        request.fields.append("content-type", Self.form)
        let signer = SigV4Signer(
            accessKeyID: pair.id,
            secret: pair.secret,
            sessionToken: pair.sessionToken,
            region: region,
            service: "sts"
        )
        signer.sign(
            &request,
            payload: .sha256(Array(SHA256.hash(data: body))),
            at: now,
            alsoSigning: ["content-type"]
        )
        let fields = request.fields.entries.filter { !request.fields.isNamed($0, "host") }.map { entry in
            (
                name: String(decoding: request.fields.name(entry), as: UTF8.self),
                value: String(decoding: request.fields.value(entry), as: UTF8.self)
            )
        }
        return ExchangeRequest(.post, url, fields: fields, body: body)
    }

    private static let form = "application/x-www-form-urlencoded; charset=utf-8"

    private var url: String { endpoint.scheme + "://" + endpoint.authority + endpoint.path }

    /// The session that an answer to `action` begins.
    ///
    /// - Throws: what the service said where it refused; where an answer is not exactly the one of this action.
    func session(_ answer: ExchangeAnswer, to action: Action) throws(ExchangeFailure) -> (
        pair: AccessKeyPair, expiresAt: Instant
    ) {
        let service = "STS (\(action.rawValue) at \(endpoint.host))"
        let root = try? XMLReader.parse(answer.body, maxElements: 200)
        guard answer.status == 200 else {
            let error = root?.name == "Error" ? root : root?.child("Error")
            throw ExchangeFailure(
                service,
                status: answer.status,
                code: error?.child("Code")?.text,
                message: error?.child("Message")?.text
            )
        }
        guard let root, root.name == action.rawValue + "Response",
            let result = root.only(action.rawValue + "Result"), let credentials = result.only("Credentials"),
            let id = credentials.only("AccessKeyId")?.text, let secret = credentials.only("SecretAccessKey")?.text,
            let token = credentials.only("SessionToken")?.text,
            let expiration = credentials.only("Expiration").flatMap({ Timestamp.parseISO8601($0.text.utf8) })
        else { throw ExchangeFailure("\(service) answered with something that is no session") }
        return (try TokenShape.pair(service, id: id, secret: secret, sessionToken: token), expiration)
    }
}

extension XMLNode {
    /// The child of that name, where there is exactly one.
    fileprivate func only(_ name: String) -> XMLNode? {
        let found = children(named: name)
        return found.count == 1 ? found[0] : nil
    }
}
