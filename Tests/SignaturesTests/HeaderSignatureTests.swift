import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct HeaderSignatureTests {
    @Test func aSignedRequestIsAccepted() throws {
        let verified = try Sample.header().verify()
        #expect(verified.payload == .empty)
        #expect(verified.signedAt == Sample.signedAt)
        #expect(verified.expiresAt == nil)
        #expect(
            verified.scope == CredentialScope(accessKeyID: "GHKEY", date: Array("20250615".utf8), region: "us-east-1")
        )
    }

    // MARK: Mutations

    static let mutations: [(String, @Sendable (inout Sample) -> Void)] = [
        ("another method", { $0.method = .get }),
        ("HEAD for PUT", { $0.method = .head }),
        ("a method in another case", { $0.method = .other("put") }),
        ("a byte of the path", { $0.path[3] ^= 1 }),
        ("a longer path", { $0.path += Array("/".utf8) }),
        ("a doubled slash", { $0.path.insert(UInt8(ascii: "/"), at: 0) }),
        ("a plus for a space in the path", { $0.path = Array("/bucket/key+one".utf8) }),
        ("an item more in the query", { $0.queryText += "&acl" }),
        ("an item less in the query", { $0.setParameter("partNumber", nil) }),
        ("another value in the query", { $0.setParameter("partNumber", "2") }),
        ("no query", { $0.query = nil }),
        ("another host", { $0.set("host", "gateway.example.com") }),
        ("a port at the host", { $0.set("host", Sample.host + ":443") }),
        ("another acl", { $0.set("x-amz-acl", "public-read") }),
        ("an empty acl", { $0.set("x-amz-acl", "") }),
        ("a repeated header less", { $0.fields.removeAll { $0.name == "x-amz-meta-two" && $0.value == "b" } }),
        ("a repeated header more", { $0.fields.append(("x-amz-meta-two", "c")) }),
        ("a second value of a single header", { $0.fields.append(("x-amz-acl", "public-read")) }),
        (
            "repeated headers in another order",
            { sample in
                sample.fields = sample.fields.reversed()
            }
        ),
        ("another payload hash", { $0.set("x-amz-content-sha256", String(repeating: "0", count: 64)) }),
        ("no payload hash promised", { $0.set("x-amz-content-sha256", "UNSIGNED-PAYLOAD") }),
        ("another second", { $0.set("x-amz-date", "20250615T150641Z") }),
        (
            "another key",
            {
                $0.authorization = $0.authorization.replacing("GHKEY/", with: "GHKEX/"); $0.secret = "other"
            }
        ),
        (
            "another region",
            {
                $0.authorization = $0.authorization.replacing("us-east-1", with: "us-east-2"); $0.region = "*"
            }
        ),
        (
            "a bit of the signature",
            { sample in
                let last = sample.authorization.last == "0" ? "1" : "0"
                sample.authorization = String(sample.authorization.dropLast()) + last
            }
        ),
    ]

    @Test(arguments: mutations.indices)
    func everyMutationIsAMismatch(_ index: Int) throws {
        let (what, mutate) = Self.mutations[index]
        var sample = Sample.header()
        mutate(&sample)
        #expect(throws: SignatureRefusal.signatureMismatch, "\(what)") { try sample.verify() }
    }

    @Test func everySingleBitOfPathAndSignedHeadersCounts() throws {
        let original = Sample.header()
        for index in original.path.indices {
            for bit in 0..<8 {
                var sample = original
                sample.path[index] ^= 1 << bit
                guard sample.path != original.path, try differs(sample.path, original.path) else { continue }
                #expect(throws: SignatureRefusal.self) { try sample.verify() }
            }
        }
        for (place, field) in original.fields.enumerated() where field.name != "authorization" {
            for index in field.value.utf8.indices {
                var bytes = Array(field.value.utf8)
                bytes[field.value.utf8.distance(from: field.value.startIndex, to: index)] ^= 1
                var sample = original
                sample.fields[place].value = text(bytes)
                #expect(throws: SignatureRefusal.self) { try sample.verify() }
            }
        }
    }

    private func differs(_ left: [UInt8], _ right: [UInt8]) throws -> Bool {
        guard let left = try? PercentEncoding.decode(left) else { return true }
        return try left != PercentEncoding.decode(right)
    }

    // MARK: What is covered

    @Test func anUnsignedAmzHeaderIsRefused() {
        var sample = Sample.header()
        sample.fields.append(("X-Amz-Copy-Source", "/other/secret"))
        expectRefusal(.headerNotSigned("x-amz-copy-source"), sample)
    }

    @Test func anAbsentSignedHeaderIsNeverTakenAsEmpty() {
        var sample = Sample.header(extra: [("x-amz-acl", "")])
        #expect(throws: Never.self) { try sample.verify() }
        sample.remove("x-amz-acl")
        expectRefusal(.signedHeaderMissing("x-amz-acl"), sample)
    }

    @Test func theHostMustBeSigned() {
        var sample = Sample.header()
        sample.authorization = sample.authorization.replacing("=host;", with: "=")
        expectRefusal(.hostNotSigned, sample)
    }

    @Test func otherHeadersNeedNotBeSigned() {
        var sample = Sample.header()
        sample.fields += [("content-type", "text/plain"), ("x-amzn-trace-id", "Root=1"), ("range", "bytes=0-1")]
        #expect(throws: Never.self) { try sample.verify() }
    }

    @Test func namesCompareWithoutCase() {
        var sample = Sample.header()
        sample.fields = sample.fields.map { ($0.name == "x-amz-acl" ? "X-AMZ-Acl" : $0.name, $0.value) }
        #expect(throws: Never.self) { try sample.verify() }
    }

    // MARK: Time

    @Test(arguments: [-900, -899, 0, 899, 900] as [Int64])
    func aQuarterOfAnHourOfSkewIsGranted(_ seconds: Int64) {
        var sample = Sample.header()
        sample.now = Sample.signedAt + .seconds(seconds)
        #expect(throws: Never.self) { try sample.verify() }
    }

    @Test(arguments: [-901, 901, 86_400, -86_400, 1_000_000_000] as [Int64])
    func moreSkewIsRefused(_ seconds: Int64) {
        var sample = Sample.header()
        sample.now = Sample.signedAt + .seconds(seconds)
        expectRefusal(.requestTimeTooSkewed, sample)
    }

    @Test func theScopeIsOfTheSameDay() {
        var sample = Sample.header()
        sample.authorization = sample.authorization.replacing("/20250615/", with: "/20250614/")
        expectRefusal(.malformed(.header, .scopeDate), sample)
    }

    @Test func aDateIsNeeded() {
        var sample = Sample.header()
        sample.remove("x-amz-date")
        expectRefusal(.missingDate, sample)
        sample.set("date", "yesterday")
        expectRefusal(.missingDate, sample)
    }

    @Test(arguments: ["Sun, 15 Jun 2025 15:06:40 GMT", "20250615T150640Z"])
    func dateStandsInForAmzDate(_ date: String) throws {
        var sample = Sample.header()
        sample.remove("x-amz-date")
        sample.set("date", date)
        // The signature no longer fits (another set of headers), but the time was found and is fresh.
        expectRefusal(.signedHeaderMissing("x-amz-date"), sample)
        sample.now = Sample.signedAt + .seconds(1000)
        expectRefusal(.requestTimeTooSkewed, sample)
    }

    @Test(arguments: [
        "", "Bad Date", "Tue, 07 Jul 2010 21:53:04 GMT", "20250615", "2025-06-15T15:06:40Z", "20250615T150640",
        "20250615T250640Z", "20250230T000000Z",
    ])
    func aMalformedAmzDateIsRefusedEvenBesideADate(_ date: String) {
        var sample = Sample.header()
        sample.set("x-amz-date", date)
        sample.set("date", "Sun, 15 Jun 2025 15:06:40 GMT")
        expectRefusal(.missingDate, sample)
    }

    // MARK: Region and service

    @Test func anotherRegionIsRefusedNamingOurs() throws {
        var sample = Sample.header()
        sample.region = "eu-central-1"
        expectRefusal(.wrongRegion(.header, expected: "eu-central-1"), sample)
        let refusal = SignatureRefusal.wrongRegion(.header, expected: "eu-central-1")
        #expect(refusal.s3Code == "AuthorizationHeaderMalformed")
        #expect(refusal.publicMessage.contains("expecting 'eu-central-1'"))
    }

    @Test func aStarAcceptsAnyRegion() {
        var sample = Sample.header()
        sample.region = "*"
        #expect(throws: Never.self) { try sample.verify() }
    }

    @Test func anotherServiceIsRefused() {
        var sample = Sample.header()
        sample.authorization = sample.authorization.replacing("/s3/", with: "/sts/")
        expectRefusal(.malformed(.header, .scopeService), sample)
    }

    // MARK: Payload hash

    @Test(arguments: [.length(1), .chunked] as [BodyFraming])
    func thePayloadHashIsRequiredWhereThereIsABody(_ framing: BodyFraming) {
        var sample = Sample.header()
        sample.remove("x-amz-content-sha256")
        sample.framing = framing
        expectRefusal(.missingContentSHA256, sample)
    }

    @Test(arguments: [.none, .length(0)] as [BodyFraming])
    func withoutABodyTheHashOfNothingIsUnderstood(_ framing: BodyFraming) throws {
        var sample = Sample.header()
        sample.framing = framing
        sample.remove("x-amz-content-sha256")
        expectRefusal(.signedHeaderMissing("x-amz-content-sha256"), sample)

        sample.authorization = sample.authorization.replacing("x-amz-content-sha256;", with: "")
        let query = try Query(parsing: sample.query ?? [])
        let presented = try #require(try PresentedSignature.find(in: sample.head, query: query))
        let stages = try SigV4.stages(presented, head: sample.head, query: query, host: sample.head.host)
        let key = SigningKey(secret: Secret(sample.secret), scope: try #require(presented.scope))
        let proof = Hex.encode(key.authenticationCode(for: stages.stringToSign))
        sample.authorization = String(sample.authorization.dropLast(64)) + proof
        #expect(try sample.verify().payload == .empty)
        sample.framing = .length(1)
        expectRefusal(.missingContentSHA256, sample)
    }

    @Test(arguments: ["", "unsigned-payload", "UNSIGNED", "abc", String(repeating: "g", count: 64), "STREAMING-a b"])
    func aMalformedPayloadHashIsRefused(_ value: String) {
        var sample = Sample.header()
        sample.set("x-amz-content-sha256", value)
        expectRefusal(.malformedContentSHA256, sample)
    }

    @Test(arguments: ["x-amz-content-sha256", "x-amz-date"])
    func aRepeatedSingleHeaderIsRefused(_ name: String) throws {
        var sample = Sample.header()
        let value = try #require(sample.fields.first { $0.name == name }?.value)
        sample.fields.append((name, value))
        expectRefusal(.repeatedHeader(name), sample)
    }

    @Test(arguments: AWSChunkedForm.allCases)
    func formsOfChunkedBodiesComeBackAsTheyAre(_ form: AWSChunkedForm) throws {
        let verified = try Sample.header(payload: .chunked(form)).verify()
        #expect(verified.payload == .chunked(form))
        #expect((verified.chunkSignatures != nil) == form.isSigned)
    }

    @Test(arguments: [
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD", "NotImplemented"),
        ("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER", "NotImplemented"),
        ("STREAMING-UNSIGNED-PAYLOAD", "InvalidArgument"), ("STREAMING-", "InvalidArgument"),
        ("streaming-unsigned-payload-trailer", "InvalidArgument"),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER ", "InvalidArgument"),
    ])
    func otherFormsOfChunkedBodiesAreRefused(_ sentinel: String, _ code: String) {
        #expect(PayloadHash(sentinel.utf8) == nil)
        #expect(PayloadHash.refusal(of: sentinel.utf8).s3Code == code)
        var sample = Sample.header(payload: .unsigned)
        sample.set("x-amz-content-sha256", sentinel)
        let refusal = #expect(throws: SignatureRefusal.self) { try sample.verify() }
        #expect(refusal?.s3Code == code)
    }

    @Test func anUnsignedPayloadComesBackAsSuch() throws {
        #expect(try Sample.header(payload: .unsigned).verify().payload == .unsigned)
    }

    // MARK: Hosts and paths

    @Test func anyCandidateHostMayHaveBeenSigned() {
        var sample = Sample.header()
        sample.set("host", "internal:8080")
        expectRefusal(.signatureMismatch, sample)
        sample.hosts = ["internal:8080", "other", Sample.host]
        #expect(throws: Never.self) { try sample.verify() }
        sample.hosts = ["internal:8080", Sample.host + ":443"]
        expectRefusal(.signatureMismatch, sample)
    }

    @Test(arguments: ["/b/a%2Fb", "/b/a%2fb", "/b/a/b"])
    func anEncodedSlashIsASlashHoweverItWasSigned(_ path: String) {
        var sample = Sample.header(path: "/b/a/b")
        sample.path = Array(path.utf8)
        #expect(throws: Never.self) { try sample.verify() }
        sample = Sample.header(path: "/b/a%2Fb")
        sample.path = Array("/b/a%2Fb".utf8)
        #expect(throws: Never.self) { try sample.verify() }
    }

    @Test(arguments: ["/%", "/a%2", "/%zz", "/%2", "/a%2F%"])
    func aBrokenEscapeInThePathIsRefused(_ path: String) {
        var sample = Sample.header()
        sample.path = Array(path.utf8)
        expectRefusal(.malformedPath, sample)
    }
}
