import HTTP1
import Signatures
import WireFormats

/// The same GET by three kinds of credential, with the fields that SDKs send.
struct SampleRequests {
    static let now = Instant(secondsSince1970: 1_750_000_000)
    static let host = "files.example.com"
    static let path = Array("/photos/models/production/2025/weights-00017.safetensors".utf8)
    static let accessKeyID = "AKPROXY00000EXAMPLE"
    static let secret = Secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    static let apiKey = "alice-api-key-5d41402abc4b2a76b9719d91"

    let signed: RequestHead
    let presigned: RequestHead
    let withAPIKey: RequestHead

    init() {
        let signer = SigV4Signer(accessKeyID: Self.accessKeyID, secret: Self.secret, region: "us-east-1")
        var request = OutgoingRequest(method: .get, path: Self.path)
        request.fields.append("host", Self.host)
        signer.sign(&request, payload: .empty, at: Self.now)
        var own: [(String, String)] = []
        for entry in request.fields.entries.dropFirst() {
            own.append((Self.text(request.fields.name(entry)), Self.text(request.fields.value(entry))))
        }
        signed = Self.head(own)

        var covered = FieldBlock()
        covered.append("host", Self.host)
        let query = signer.presign(.get, path: Self.path, fields: covered, expiresIn: .seconds(3600), at: Self.now)
        presigned = Self.head([], query: query)
        withAPIKey = Self.head([("x-api-key", Self.apiKey)])
    }

    private static func head(_ own: [(String, String)], query: [UInt8]? = nil) -> RequestHead {
        let usual = [
            ("host", host), ("accept", "*/*"), ("accept-encoding", "identity"),
            ("user-agent", "aws-sdk-example/1.40 md/os#linux md/arch#x86_64 lang/python#3.13 cfg/retry-mode#standard"),
            ("amz-sdk-invocation-id", "0d6bd1a3-1b4f-4c39-9a4b-5d9a8c1e8f10"), ("amz-sdk-request", "attempt=1"),
        ]
        var fields = FieldBlock()
        for (name, value) in usual + own { fields.append(name.utf8, value.utf8) }
        return RequestHead(method: .get, path: path, query: query, fields: fields, host: Array(host.utf8))
    }

    private static func text(_ bytes: ArraySlice<UInt8>) -> String { String(decoding: bytes, as: UTF8.self) }
}
