import Identity
import WireFormats

/// Has a service account's signature made where its keys are: at Google (IAM Service Account Credentials API, signBlob). It
/// takes the right to create tokens of that account.
struct BlobSigning: Sendable {
    let account: String
    /// Where service accounts are impersonated, without a path.
    let endpoint: ServiceURL

    func request(for text: [UInt8], with token: Secret<String>) -> ExchangeRequest {
        let name = String(decoding: PercentEncoding.encode(account.utf8, keepSlash: .encode), as: UTF8.self)
        return ExchangeRequest(
            .post,
            endpoint.scheme + "://" + endpoint.authority + "/v1/projects/-/serviceAccounts/\(name):signBlob",
            fields: [
                ("authorization", "Bearer " + token.reveal()), ("content-type", "application/json"),
                ("accept", "application/json"),
            ],
            body: StrictJSON.object([(name: "payload", value: .string(Base64.encode(text)))]).text
        )
    }

    /// An RSA signature, of a key of 2048 to 8192 bits.
    func signature(_ answer: ExchangeAnswer) throws(ExchangeFailure) -> [UInt8] {
        let service = "Google IAM credentials (\(endpoint.host))"
        let document = JSONAnswer(answer.body)
        guard answer.status == 200 else {
            throw GoogleFailure.refusal(by: service, status: answer.status, document)
        }
        guard let text = document?.text("signedBlob"), let signature = Base64.decode(Array(text.utf8)),
            (256...1024).contains(signature.count)
        else { throw ExchangeFailure("\(service) answered with something that is no signature") }
        return signature
    }
}

/// The error of a Google API of JSON (AIP-193).
enum GoogleFailure {
    static func refusal(by service: String, status: Int, _ document: JSONAnswer?) -> ExchangeFailure {
        let error = document?.object("error")
        return ExchangeFailure(service, status: status, code: error?.text("status"), message: error?.text("message"))
    }
}
