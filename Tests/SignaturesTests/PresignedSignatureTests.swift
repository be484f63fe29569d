import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct PresignedSignatureTests {
    @Test func aPresignedRequestIsAccepted() throws {
        let verified = try Sample.presigned().verify()
        #expect(verified.payload == .unsigned)
        #expect(verified.expiresAt == Sample.signedAt + .seconds(3600))
    }

    @Test func theOrderAndSpellingOfTheQueryDoNotMatter() {
        var sample = Sample.presigned()
        sample.queryText = sample.queryText.split(separator: "&").reversed().joined(separator: "&")
            .replacing("%2F", with: "/")
        #expect(throws: Never.self) { try sample.verify() }
    }

    static let mutations: [(String, @Sendable (inout Sample) -> Void)] = [
        ("HEAD on a GET", { $0.method = .head }),
        ("PUT on a GET", { $0.method = .put }),
        ("another key", { $0.path = Array("/bucket/key%20two".utf8) }),
        ("another version", { $0.setParameter("versionId", "1") }),
        ("no version", { $0.setParameter("versionId", nil) }),
        ("an item more", { $0.queryText += "&response-content-type=text/html" }),
        ("a later date", { $0.setParameter("X-Amz-Date", "20250615T150641Z") }),
        ("a longer life", { $0.setParameter("X-Amz-Expires", "3601") }),
        ("another host", { $0.set("host", "evil.example.org") }),
        ("a token put in", { $0.queryText += "&X-Amz-Security-Token=t" }),
        ("a payload hash put in", { $0.queryText += "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD" }),
        (
            "another signer's name",
            {
                $0.setParameter("X-Amz-Credential", "OTHER%2F20250615%2Fus-east-1%2Fs3%2Faws4_request")
                $0.secret = "other"
            }
        ),
        ("an unknown X-Amz parameter", { $0.queryText += "&X-Amz-Foo=1" }),
    ]

    @Test(arguments: mutations.indices)
    func everyMutationIsAMismatch(_ index: Int) throws {
        let (what, mutate) = Self.mutations[index]
        var sample = Sample.presigned()
        mutate(&sample)
        #expect(throws: SignatureRefusal.signatureMismatch, "\(what)") { try sample.verify() }
    }

    @Test func aGetIsNotAHeadTheOtherWayRoundEither() {
        var sample = Sample.presigned(.head)
        #expect(throws: Never.self) { try sample.verify() }
        sample.method = .get
        expectRefusal(.signatureMismatch, sample)
    }

    // MARK: Parameters

    static let required: [(name: String, parameter: SignatureRefusal.Parameter)] = [
        ("X-Amz-Algorithm", .algorithm), ("X-Amz-Credential", .credential), ("X-Amz-Date", .date),
        ("X-Amz-Expires", .expires), ("X-Amz-SignedHeaders", .signedHeaders), ("X-Amz-Signature", .signature),
    ]

    @Test(arguments: required.indices)
    func eachParameterIsThereExactlyOnce(_ index: Int) throws {
        let (name, parameter) = Self.required[index]
        var missing = Sample.presigned()
        missing.setParameter(name, nil)
        expectRefusal(.malformed(.query, .missing(parameter)), missing)

        var doubled = Sample.presigned()
        let item = try #require(doubled.queryText.split(separator: "&").first { $0.hasPrefix(name + "=") })
        doubled.queryText += "&" + item
        expectRefusal(.malformed(.query, .repeated(parameter)), doubled)

        var empty = Sample.presigned()
        empty.setParameter(name, "")
        let refusal = #expect(throws: SignatureRefusal.self) { try empty.verify() }
        #expect(refusal?.s3Code == "AuthorizationQueryParametersError")

        var renamed = Sample.presigned()
        renamed.queryText = renamed.queryText.replacing(name + "=", with: name.lowercased() + "=")
        expectRefusal(.malformed(.query, .missing(parameter)), renamed)
    }

    @Test func aDoubledTokenOrPayloadHashIsRefused() {
        var sample = Sample.presigned(token: "token")
        sample.queryText += "&X-Amz-Security-Token=token"
        expectRefusal(.malformed(.query, .repeated(.securityToken)), sample)
        sample = Sample.presigned(payload: .empty)
        sample.queryText += "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD"
        expectRefusal(.malformed(.query, .repeated(.contentSHA256)), sample)
    }

    @Test(arguments: ["AWS4-ECDSA-P256-SHA256", "aws4-hmac-sha256", "none"])
    func otherAlgorithmsAreRefused(_ algorithm: String) {
        var sample = Sample.presigned()
        sample.setParameter("X-Amz-Algorithm", algorithm)
        expectRefusal(.malformed(.query, .unsupportedAlgorithm), sample)
    }

    @Test func anExpiryOfZeroHasExpired() {
        var sample = Sample.presigned()
        sample.setParameter("X-Amz-Expires", "0")
        expectRefusal(.expired, sample)
    }

    @Test(arguments: ["-1", "-5", "604801", "999999999", "9223372036854775"])
    func anExpiryOutOfRangeIsRefused(_ expires: String) {
        var sample = Sample.presigned()
        sample.setParameter("X-Amz-Expires", expires)
        expectRefusal(.malformed(.query, .expiresOutOfRange), sample)
    }

    @Test(arguments: [
        "", "+5", "%2B5", "%205", "5%20", "5.0", "5e2", "0x5", "abc", "-", "--5", "05", "5%00", "%D9%A5",
        "99999999999999999999",
    ])
    func anExpiryThatIsNotPlainDigitsIsRefused(_ expires: String) {
        var sample = Sample.presigned()
        sample.setParameter("X-Amz-Expires", expires)
        expectRefusal(.malformed(.query, .malformed(.expires)), sample)
    }

    @Test(arguments: ["", "20250615T150640", "20250615T150640Z%20", "Sun, 15 Jun 2025", "20251315T000000Z"])
    func aMalformedDateIsRefused(_ date: String) {
        var sample = Sample.presigned()
        sample.setParameter("X-Amz-Date", date)
        expectRefusal(.malformed(.query, .malformed(.date)), sample)
    }

    // MARK: Time

    @Test(arguments: [-900, 0, 901, 3599, 3600] as [Int64])
    func itIsJudgedByItsOwnExpiry(_ seconds: Int64) {
        var sample = Sample.presigned()
        sample.now = Sample.signedAt + .seconds(seconds)
        #expect(throws: Never.self) { try sample.verify() }
    }

    @Test func itEndsWhenItSays() {
        var sample = Sample.presigned()
        sample.now = Sample.signedAt + .seconds(3600) + .nanoseconds(1)
        expectRefusal(.expired, sample)
        sample.now = Sample.signedAt + .seconds(1_000_000_000)
        expectRefusal(.expired, sample)
    }

    @Test func itDoesNotBeginBeforeItsDate() {
        var sample = Sample.presigned()
        sample.now = Sample.signedAt - .seconds(901)
        expectRefusal(.notYetValid, sample)
    }

    @Test func theScopeIsCheckedAsInTheHeader() {
        var sample = Sample.presigned()
        sample.region = "eu-west-1"
        expectRefusal(.wrongRegion(.query, expected: "eu-west-1"), sample)
        sample = Sample.presigned()
        sample.setParameter("X-Amz-Credential", "GHKEY%2F20250616%2Fus-east-1%2Fs3%2Faws4_request")
        expectRefusal(.malformed(.query, .scopeDate), sample)
        sample.setParameter("X-Amz-Credential", "GHKEY%2F20250615%2Fus-east-1%2Fec2%2Faws4_request")
        expectRefusal(.malformed(.query, .scopeService), sample)
        sample.setParameter("X-Amz-Credential", "GHKEY%2F20250615%2Fus-east-1%2Fs3%2Faws5_request")
        expectRefusal(.malformed(.query, .scopeTerminator), sample)
    }

    // MARK: Headers and payload

    @Test func unsignedAmzHeadersAreRefused() {
        var sample = Sample.presigned(.put)
        sample.fields.append(("x-amz-acl", "public-read"))
        expectRefusal(.headerNotSigned("x-amz-acl"), sample)
    }

    @Test func signedHeadersMustBeSentAsSigned() {
        var sample = Sample.presigned(.put, signing: [("content-type", "image/png"), ("x-amz-acl", "private")])
        #expect(throws: Never.self) { try sample.verify() }
        sample.set("content-type", "text/html")
        expectRefusal(.signatureMismatch, sample)
        sample.remove("content-type")
        expectRefusal(.signedHeaderMissing("content-type"), sample)
    }

    @Test func thePayloadHashComesFromQueryOrSignedHeader() throws {
        #expect(try Sample.presigned(.put, payload: .empty).verify().payload == .empty)
        let hash = String(repeating: "ab", count: 32)
        var sample = Sample.presigned(.put, payload: .empty)
        sample.fields.append(("x-amz-content-sha256", hash))
        expectRefusal(.conflictingContentSHA256, sample)
        sample = Sample.presigned(.put)
        sample.fields.append(("x-amz-content-sha256", hash))
        expectRefusal(.headerNotSigned("x-amz-content-sha256"), sample)
        sample = Sample.presigned(.put)
        sample.queryText += "&X-Amz-Content-Sha256=abc"
        expectRefusal(.malformedContentSHA256, sample)
    }

    @Test func theTokenIsCoveredAndComesBack() throws {
        let sample = Sample.presigned(token: "the token/+=")
        #expect(throws: Never.self) { try sample.verify() }
        let query = try Query(parsing: sample.query ?? [])
        let presented = try #require(try PresentedSignature.find(in: sample.head, query: query))
        #expect(try presented.securityToken(in: sample.head).map(text) == "the token/+=")
        var without = sample
        without.setParameter("X-Amz-Security-Token", nil)
        expectRefusal(.signatureMismatch, without)
    }

    @Test func aTokenInBothPlacesIsRefused() throws {
        var sample = Sample.presigned(token: "one")
        sample.fields.append(("x-amz-security-token", "two"))
        let query = try Query(parsing: sample.query ?? [])
        let presented = try #require(try PresentedSignature.find(in: sample.head, query: query))
        #expect(throws: SignatureRefusal.malformed(.query, .repeated(.securityToken))) {
            try presented.securityToken(in: sample.head)
        }
    }
}
