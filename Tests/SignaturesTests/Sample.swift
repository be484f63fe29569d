import HTTP1
import Signatures
import Testing
import WireFormats

/// A request, rightly signed, as parts that a test can spoil one by one before it is judged.
struct Sample {
    var method = HTTPMethod.put
    var path = Array("/bucket/key%20one".utf8)
    var query: [UInt8]?
    var fields: [(name: String, value: String)]
    var hosts: [String] = []
    var framing = BodyFraming.none
    var secret = "secret"
    var now = signedAt
    var region = "us-east-1"

    static let signedAt = Instant(secondsSince1970: 1_750_000_000)
    static let host = "gateway.example.org"
    static let signer = SigV4Signer(accessKeyID: "GHKEY", secret: Secret("secret"), region: "us-east-1")

    /// `PUT /bucket/key%20one?uploadId=a%20b` signed in the header.
    static func header(
        extra: [(String, String)] = [("x-amz-acl", "private"), ("x-amz-meta-two", "a"), ("x-amz-meta-two", "b")],
        payload: PayloadHash = .empty,
        path: String = "/bucket/key%20one"
    ) -> Sample {
        var request = OutgoingRequest(
            method: .put,
            path: Array(path.utf8),
            query: Array("partNumber=1&uploadId=a%20b".utf8)
        )
        request.fields.append("host", host)
        for (name, value) in extra { request.fields.append(name.utf8, value.utf8) }
        signer.sign(&request, payload: payload, at: signedAt)
        var sample = Sample(query: request.query, fields: [])
        sample.path = request.path
        sample.fields = request.fields.entries.map {
            (text(request.fields.name($0)), text(request.fields.value($0)))
        }
        return sample
    }

    /// `GET /bucket/key%20one?versionId=null`, good for an hour.
    static func presigned(
        _ method: HTTPMethod = .get,
        signing: [(String, String)] = [],
        payload: PayloadHash? = nil,
        token: String? = nil
    ) -> Sample {
        var fields = FieldBlock()
        fields.append("host", host)
        for (name, value) in signing { fields.append(name.utf8, value.utf8) }
        var query = Query()
        query.append("versionId".utf8, "null".utf8)
        let signer = SigV4Signer(
            accessKeyID: "GHKEY",
            secret: Secret("secret"),
            sessionToken: token.map { Secret($0) },
            region: "us-east-1"
        )
        let signed = signer.presign(
            method,
            path: Array("/bucket/key%20one".utf8),
            query: query,
            fields: fields,
            payload: payload,
            expiresIn: .seconds(3600),
            at: signedAt
        )
        var sample = Sample(method: method, query: signed, fields: [("host", host)] + signing)
        sample.path = Array("/bucket/key%20one".utf8)
        return sample
    }

    var authorization: String {
        get { fields.first { $0.name == "authorization" }?.value ?? "" }
        set { set("authorization", newValue) }
    }

    mutating func set(_ name: String, _ value: String) {
        if let index = fields.firstIndex(where: { $0.name == name }) {
            fields[index].value = value
        } else {
            fields.append((name, value))
        }
    }

    mutating func remove(_ name: String) { fields.removeAll { $0.name == name } }

    var queryText: String {
        get { text(query ?? []) }
        set { query = Array(newValue.utf8) }
    }

    /// Replaces the value of one query parameter, as it stands encoded; nil removes the parameter.
    mutating func setParameter(_ name: String, _ value: String?) {
        queryText = queryText.split(separator: "&").compactMap { item -> String? in
            guard item.hasPrefix(name + "=") else { return String(item) }
            return value.map { "\(name)=\($0)" }
        }.joined(separator: "&")
    }

    var head: RequestHead {
        var block = FieldBlock()
        for field in fields { block.append(field.name.utf8, field.value.utf8) }
        return RequestHead(
            method: method,
            path: path,
            query: query,
            fields: block,
            framing: framing,
            host: Array(block.first("host") ?? [])
        )
    }

    func verify(_ keys: inout SigningKeyCache) throws -> VerifiedSignature {
        let head = head
        let query = try Query(parsing: query ?? [])
        let presented = try #require(try PresentedSignature.find(in: head, query: query))
        return try SigV4.verify(
            presented,
            head: head,
            query: query,
            hosts: hosts.map { Array($0.utf8) },
            secret: Secret(secret),
            now: now,
            region: region,
            keys: &keys
        )
    }

    @discardableResult
    func verify() throws -> VerifiedSignature {
        var keys = SigningKeyCache()
        return try verify(&keys)
    }
}

/// That the sample is refused in just this way.
func expectRefusal(
    _ refusal: SignatureRefusal,
    _ sample: Sample,
    sourceLocation: SourceLocation = #_sourceLocation
) {
    #expect(throws: refusal, sourceLocation: sourceLocation) { try sample.verify() }
}
