/// Whose key signed, and what the signing key is good for: `KEY/YYYYMMDD/REGION/SERVICE/aws4_request`
/// (AWS, "Create a signed AWS API request").
public struct CredentialScope: Hashable, Sendable {
    /// Visible ASCII without `/`.
    public let accessKeyID: String
    /// Eight digits.
    public let date: [UInt8]
    public let region: String
    public let service: String

    public init(accessKeyID: String, date: [UInt8], region: String, service: String = "s3") {
        self.accessKeyID = accessKeyID
        self.date = date
        self.region = region
        self.service = service
    }

    /// Parses a whole credential: exactly five parts, the last of them `aws4_request`.
    public init(
        parsing text: some Collection<UInt8>,
        in place: SignatureRefusal.Place
    ) throws(SignatureRefusal) {
        let malformed = SignatureRefusal.malformed(place, .malformed(.credential))
        guard text.count <= 512, text.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw malformed }
        let parts = text.split(separator: UInt8(ascii: "/"), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 5, parts.allSatisfy({ !$0.isEmpty }), parts[1].count == 8,
            parts[1].allSatisfy({ $0 &- UInt8(ascii: "0") < 10 })
        else { throw malformed }
        guard parts[4].elementsEqual("aws4_request".utf8) else { throw .malformed(place, .scopeTerminator) }
        accessKeyID = String(decoding: parts[0], as: UTF8.self)
        date = Array(parts[1])
        region = String(decoding: parts[2], as: UTF8.self)
        service = String(decoding: parts[3], as: UTF8.self)
    }

    /// The scope without the key: the third line of the string to sign.
    func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: date)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: region.utf8)
        bytes.append(UInt8(ascii: "/"))
        bytes.append(contentsOf: service.utf8)
        bytes.append(contentsOf: "/aws4_request".utf8)
    }
}
