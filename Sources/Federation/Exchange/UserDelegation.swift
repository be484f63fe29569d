import Identity
import Signatures
import WireFormats

/// Asks Azure's storage for the key that URLs are signed with (Microsoft, "Get User Delegation Key"). It takes the right to
/// generate one on the account, which a role on a container alone does not give.
struct UserDelegation: Sendable {
    /// How long a key shall last. URLs end with it; a week would be the longest.
    static let lifetime = Duration.seconds(86_400)
    /// Clocks differ: a key that begins in the future signs nothing.
    private static let skew = Duration.seconds(900)

    let delegation: AzureDelegation

    func request(with token: Secret<String>, at now: Instant) -> ExchangeRequest {
        let place = delegation.storage
        var document = XMLWriter()
        document.open("KeyInfo")
        document.element("Start", Timestamp.iso8601(now - Self.skew))
        document.element("Expiry", Timestamp.iso8601(now + Self.lifetime))
        document.close("KeyInfo")
        return ExchangeRequest(
            .post,
            place.scheme + "://" + place.authority + "/?restype=service&comp=userdelegationkey",
            fields: [
                ("authorization", "Bearer " + token.reveal()), ("x-ms-version", SharedAccessSignature.version),
                ("x-ms-date", Timestamp.http(now)), ("content-type", "application/xml"),
            ],
            body: document.bytes
        )
    }

    /// - Throws: what the service said where it refused; where an answer is not exactly a key.
    func key(_ answer: ExchangeAnswer) throws(ExchangeFailure) -> TimedCredential {
        let service = "Azure Storage (\(delegation.storage.host))"
        let root = try? XMLReader.parse(answer.body, maxElements: 50)
        guard answer.status == 200 else {
            let error = root?.name == "Error" ? root : nil
            throw ExchangeFailure(
                service,
                status: answer.status,
                code: error?.child("Code")?.text,
                message: error?.child("Message")?.text
            )
        }
        guard let root, root.name == "UserDelegationKey", let object = root.word("SignedOid"),
            let tenant = root.word("SignedTid"), let start = root.word("SignedStart"),
            let expiry = root.word("SignedExpiry"), let kind = root.word("SignedService"), kind == "b",
            let version = root.word("SignedVersion"), let value = root.word("Value"),
            let bytes = Base64.decode(Array(value.utf8)), !bytes.isEmpty
        else { throw ExchangeFailure("\(service) answered with something that is no user delegation key") }
        let key = UserDelegationKey(
            objectID: object,
            tenantID: tenant,
            start: start,
            expiry: expiry,
            service: kind,
            version: version,
            value: Secret(value)
        )
        guard Timestamp.parseISO8601(start.utf8) != nil, let end = key.end else {
            throw ExchangeFailure("\(service) answered with a user delegation key without a time")
        }
        return TimedCredential(credential: .delegation(key), expiresAt: end)
    }
}

extension XMLNode {
    /// The text of the child of that name, where there is exactly one, and it may become part of a URL.
    fileprivate func word(_ name: String) -> String? {
        let found = children(named: name)
        guard found.count == 1, TokenShape.isToken(found[0].text, longest: 256) else { return nil }
        return found[0].text
    }
}
