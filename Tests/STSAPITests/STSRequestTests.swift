import STSAPI
import Testing
import WireFormats

private func read(_ text: String) throws -> STSRequest {
    try STSRequest(Query(parsing: text.utf8))
}

private func code(_ text: String) -> STSError.Code? {
    do {
        _ = try read(text)
        return nil
    } catch {
        return (error as? STSError)?.code
    }
}

private let version = "&Version=2011-06-15"
private let web =
    "Action=AssumeRoleWithWebIdentity" + version + "&RoleArn=deployer&RoleSessionName=ci&WebIdentityToken=a.b.c"
private let assume = "Action=AssumeRole" + version + "&RoleSessionName=ci"

@Suite("What is asked of STS is read strictly")
struct STSRequestTests {
    @Test("The three actions")
    func actions() throws {
        guard case .assumeRoleWithWebIdentity(let role, let token, let wish) = try read(web) else {
            Issue.record("another action")
            return
        }
        #expect(role == .role("deployer") && token == "a.b.c")
        #expect(wish.name == "ci" && wish.seconds == 3600 && wish.policy == nil)
        guard case .assumeRole(.caller, let own) = try read(assume + "&DurationSeconds=900&Policy=%7B%7D") else {
            Issue.record("another action")
            return
        }
        #expect(own.seconds == 900 && own.policy == "{}")
        #expect(try read("Action=GetCallerIdentity" + version) == .getCallerIdentity)
    }

    @Test(
        "Line ends behind a token, as `echo` leaves them in its file, are none of it; others are",
        arguments: [
            ("a.b.c%0A", "a.b.c"), ("a.b.c%0D%0A", "a.b.c"), ("a.b.c%0A%0A", "a.b.c"), ("%0Aa.b.c", "\na.b.c"),
            ("a.b%0A.c", "a.b\n.c"), ("a.b.c%20", "a.b.c "), ("a.b.c%0A+", "a.b.c\n "),
        ]
    )
    func lineEndsOfTokens(sent: String, token: String) throws {
        guard case .assumeRoleWithWebIdentity(_, let read, _) = try read(web.dropLast(5) + sent) else {
            Issue.record("another action")
            return
        }
        #expect(read == token)
        #expect(code(web.dropLast(5) + "%0A%0A%0A%0A%0A") == .validationError)
    }

    @Test(
        "A role is named by its id or by an ARN that ends in it",
        arguments: [
            ("deployer", .role("deployer")), ("arn:aws:iam::123456789012:role/deployer", .role("deployer")),
            ("arn:aws:iam::000000000000:role/a_b+c=d,e.f@g-1", .role("a_b+c=d,e.f@g-1")), ("self", .caller),
            ("arn:aws:iam::123456789012:role/self", .caller), ("arn:xxx:xxx:xxx:xxxx", .caller),
        ] as [(String, RoleName)]
    )
    func roles(text: String, role: RoleName) throws {
        #expect(try RoleName(text) == role)
    }

    @Test(
        "What names no role is refused",
        arguments: [
            "arn:aws:iam::12345678901:role/x", "arn:aws:iam::12345678901x:role/x", "arn:aws:sts::123456789012:role/x",
            "arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role/a/b",
            "arn:aws-cn:iam::123456789012:role/x", "a/b", "a b", "a*", "", "é", String(repeating: "a", count: 65),
            "arn:aws:iam:us-east-1:123456789012:role/x",
        ]
    )
    func noRole(text: String) {
        #expect(throws: STSError.self) { try RoleName(text) }
    }

    @Test(
        "What is missing, doubled, unknown or out of bounds is refused with its code",
        arguments: [
            ("", .missingAction), ("Version=2011-06-15", .missingAction),
            ("Action=GetCallerIdentity", .missingParameter),
            ("Action=GetSessionToken" + version, .invalidAction), ("Action=assumerole" + version, .invalidAction),
            ("Action=GetCallerIdentity&Version=2012-10-17", .invalidAction),
            (web + "&RoleArn=other", .invalidParameterCombination),
            (web + "&Action=GetCallerIdentity", .invalidParameterCombination),
            (web + "&WebIdentityToken=x.y.z", .invalidParameterCombination),
            (web.replacing("&RoleArn=deployer", with: ""), .missingParameter),
            (web.replacing("&RoleSessionName=ci", with: ""), .missingParameter),
            (web.replacing("&WebIdentityToken=a.b.c", with: ""), .missingParameter),
            (web.replacing("a.b.c", with: ""), .validationError),
            (web.replacing("a.b.c", with: "abc"), .validationError),
            (web.replacing("=ci", with: "=c"), .validationError),
            (web.replacing("=ci", with: "=c:i"), .validationError),
            (web.replacing("=ci", with: "=c%2Fi"), .validationError),
            (web.replacing("=ci", with: "=" + String(repeating: "c", count: 65)), .validationError),
            (web + "&DurationSeconds=899", .validationError), (web + "&DurationSeconds=43201", .validationError),
            (web + "&DurationSeconds=1e3", .validationError), (web + "&DurationSeconds=-900", .validationError),
            (web + "&DurationSeconds=%2B900", .validationError), (web + "&DurationSeconds=", .validationError),
            (web + "&Policy=" + String(repeating: "a", count: 2049), .validationError),
            // What would narrow the session and is not heeded must not be taken.
            (web + "&PolicyArns.member.1.arn=arn:aws:iam::aws:policy/ReadOnlyAccess", .validationError),
            (web + "&ProviderId=www.amazon.com", .validationError), (assume + "&Tags.member.1.Key=a", .validationError),
            (assume + "&ExternalId=x", .validationError), (assume + "&WebIdentityToken=a.b.c", .validationError),
            (assume + "&Nonsense=1", .validationError),
            ("Action=GetCallerIdentity" + version + "&RoleArn=x", .validationError),
            (web + "&action=x", .validationError), (web + "&Policy=%ff", .validationError),
        ] as [(String, STSError.Code)]
    )
    func refused(text: String, expected: STSError.Code) {
        #expect(code(text) == expected)
    }

    @Test("Errors are documents with their type, and quote nothing that is long or odd")
    func documents() throws {
        let error = try #require(throws: STSError.self) {
            try read("Action=%3Cscript%3E" + String(repeating: "x", count: 100) + version)
        }
        let text = String(decoding: error.document(requestID: "R"), as: UTF8.self)
        #expect(
            text.contains(
                #"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>"#
            )
        )
        #expect(
            text.contains("<Code>InvalidAction</Code>") && text.contains("<RequestId>R</RequestId></ErrorResponse>")
        )
        #expect(!text.contains("<script>") && text.utf8.count < 500)
        #expect(STSError(.idpCommunication).status == 400 && STSError(.idpRejectedClaim).status == 403)
        #expect(STSError(.malformedPolicy).code.rawValue == "MalformedPolicyDocument")
    }

    @Test("A session's document is as the API reference has it")
    func session() {
        let session = IssuedSession(
            arn: "arn:aws:sts::000000000000:assumed-role/deployer/ci",
            assumedRoleID: "0f:ci",
            accessKeyID: "GHSTS0f",
            secret: Secret("s"),
            token: Secret("t"),
            expiresAt: Instant(secondsSince1970: 1_800_000_000),
            packedPolicySize: 6
        )
        let answer = STSAnswer.assumeRoleWithWebIdentity(
            session,
            subject: "a&b",
            audience: "aud",
            provider: "https://i"
        )
        #expect(
            String(decoding: answer.document(requestID: "R"), as: UTF8.self).split(separator: "\n").last.map(
                String.init
            )
                == #"<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">"#
                + "<AssumeRoleWithWebIdentityResult><SubjectFromWebIdentityToken>a&amp;b</SubjectFromWebIdentityToken>"
                + "<Audience>aud</Audience><AssumedRoleUser><Arn>arn:aws:sts::000000000000:assumed-role/deployer/ci</Arn>"
                + "<AssumedRoleId>0f:ci</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>GHSTS0f</AccessKeyId>"
                + "<SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                + "<Expiration>2027-01-15T08:00:00Z</Expiration></Credentials><PackedPolicySize>6</PackedPolicySize>"
                + "<Provider>https://i</Provider></AssumeRoleWithWebIdentityResult>"
                + "<ResponseMetadata><RequestId>R</RequestId></ResponseMetadata></AssumeRoleWithWebIdentityResponse>"
        )
    }
}
