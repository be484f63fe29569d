import WireFormats

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
        parsing text: ArraySlice<UInt8>,
        in place: SignatureRefusal.Place
    ) throws(SignatureRefusal) {
        let malformed = SignatureRefusal.malformed(place, .malformed(.credential))
        guard text.count <= 512 else { throw malformed }
        var slashes = SIMD4<Int>(repeating: 0)
        var count = 0
        for index in text.indices {
            let byte = text[index]
            guard byte > 0x20 && byte < 0x7f else { throw malformed }
            guard byte == UInt8(ascii: "/") else { continue }
            guard count < 4 else { throw malformed }
            slashes[count] = index
            count += 1
        }
        guard count == 4 else { throw malformed }
        let key = text[..<slashes[0]]
        let day = text[(slashes[0] + 1)..<slashes[1]]
        let zone = text[(slashes[1] + 1)..<slashes[2]]
        let kind = text[(slashes[2] + 1)..<slashes[3]]
        let terminator = text[(slashes[3] + 1)...]
        guard !key.isEmpty, !zone.isEmpty, !kind.isEmpty, !terminator.isEmpty, day.count == 8,
            day.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 })
        else { throw malformed }
        guard terminator.spell("aws4_request") else { throw .malformed(place, .scopeTerminator) }
        accessKeyID = String(decoding: key, as: UTF8.self)
        date = Array(day)
        region = String(decoding: zone, as: UTF8.self)
        service = String(decoding: kind, as: UTF8.self)
    }

    public init(
        parsing text: some Collection<UInt8>,
        in place: SignatureRefusal.Place
    ) throws(SignatureRefusal) {
        try self.init(parsing: Array(text)[...], in: place)
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
