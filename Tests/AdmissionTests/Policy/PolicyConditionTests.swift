import Identity
import S3API
import Testing
import WireFormats

@testable import Admission

/// Each condition is put on a permission and on a denial of the same action: what holds permits and denies, what
/// doesn't hold does neither, what isn't known denies and doesn't permit.
@Suite struct PolicyConditionTests {
    private func expect(
        _ condition: String,
        _ expected: Ternary,
        _ asked: AccessQuestion,
        _ sent: [(String, String)] = [],
        _ location: SourceLocation = #_sourceLocation
    ) throws {
        let allow = try policies(document("Allow", "s3:*", condition: condition))
        let deny = try policies(document("Allow", "s3:*"), document("Deny", "s3:*", condition: condition))
        let values = request(sent)
        #expect(
            decide(asked, policies: allow, values: values).isAllowed == (expected == .yes),
            sourceLocation: location
        )
        #expect(
            decide(asked, policies: deny, values: values).isAllowed == (expected == .no),
            sourceLocation: location
        )
    }

    @Test(arguments: [
        ("StringEquals", "private", Ternary.yes, Ternary.no, Ternary.no),
        ("StringNotEquals", "private", .no, .yes, .yes),
        ("StringEqualsIgnoreCase", "PRIVATE", .yes, .no, .no),
        ("StringNotEqualsIgnoreCase", "PRIVATE", .no, .yes, .yes),
        ("StringLike", "priv*", .yes, .no, .no),
        ("StringNotLike", "p?ivate", .no, .yes, .yes),
        ("StringEquals", "priv*", .no, .no, .no),
        ("StringEquals", "PRIVATE", .no, .no, .no),
        ("StringEqualsIfExists", "private", .yes, .no, .yes),
        ("StringNotEqualsIfExists", "private", .no, .yes, .yes),
        ("StringLikeIfExists", "priv*", .yes, .no, .yes),
        ("ForAnyValue:StringEquals", "private", .yes, .no, .no),
        ("ForAllValues:StringEquals", "private", .yes, .no, .yes),
        ("ForAnyValue:StringNotEquals", "private", .no, .yes, .no),
        ("ForAllValues:StringNotEquals", "private", .no, .yes, .yes),
        ("ForAnyValue:StringEqualsIfExists", "private", .yes, .no, .yes),
    ])
    func stringsWhenTheyFitDifferAndAreAbsent(
        _ name: String,
        _ value: String,
        _ fits: Ternary,
        _ differs: Ternary,
        _ absent: Ternary
    ) throws {
        let condition = #"{"\#(name)":{"s3:x-amz-acl":"\#(value)"}}"#
        let asked = try question(.key("k"), .none, ActionSet(.putObject))
        try expect(condition, fits, asked, [("x-amz-acl", "private")])
        try expect(condition, differs, asked, [("x-amz-acl", "public-read")])
        try expect(condition, absent, asked)
    }

    @Test func aRepeatedHeaderIsTrustedInNeitherDirection() throws {
        let asked = try question(.key("k"), .none, ActionSet(.putObject))
        let twice = [("x-amz-acl", "private"), ("x-amz-acl", "public-read")]
        try expect(#"{"StringEquals":{"s3:x-amz-acl":"private"}}"#, .unknown, asked, twice)
        try expect(#"{"StringNotEquals":{"s3:x-amz-acl":"private"}}"#, .unknown, asked, twice)
        try expect(#"{"ForAnyValue:StringEquals":{"s3:x-amz-acl":"public-read"}}"#, .yes, asked, twice)
        try expect(#"{"ForAllValues:StringEquals":{"s3:x-amz-acl":"public-read"}}"#, .no, asked, twice)
        try expect(#"{"Null":{"s3:x-amz-acl":"false"}}"#, .yes, asked, twice)
    }

    @Test(
        "What is longer than conditions look at saves from no denial and permits nothing",
        arguments: [
            (#"{"StringLike":{"aws:UserAgent":"*"}}"#, 1), (#"{"StringNotLike":{"aws:UserAgent":"b*"}}"#, 1),
            (#"{"StringEquals":{"aws:UserAgent":"b"}}"#, 1), (#"{"Null":{"aws:UserAgent":"true"}}"#, 1),
            (#"{"ForAnyValue:StringLike":{"aws:UserAgent":"*"}}"#, 40),
            (#"{"ForAllValues:StringNotLike":{"aws:UserAgent":"b*"}}"#, 40),
        ]
    )
    func tooLong(_ condition: String, fields: Int) throws {
        let longest = 2048
        let sent = (0..<fields).map { _ in ("user-agent", String(repeating: "a", count: longest / fields + 1)) }
        try expect(condition, .unknown, try question(), sent)
    }

    @Test("Conditions on the request are looked at once for all keys of a batch")
    func settledOnce() throws {
        let text = document(
            "Allow",
            "s3:*",
            "photos/a*",
            condition:
                #"{"StringLike":{"aws:UserAgent":"a*","aws:userid":"${aws:userid}"},"Bool":{"aws:SecureTransport":true}}"#
        )
        let policy = try PolicyDocument(parsing: text.utf8)
        for (sent, expected) in [("agent", true), ("other", false)] {
            var asked = try question(.key("dash"), .user(.admin, .every), ActionSet(.deleteObject))
            var looks = 0
            let values: (RequestValue) -> [[UInt8]] = { _ in
                looks += 1
                return [Array(sent.utf8)]
            }
            asked.sessionPolicies = [policy.settled(for: asked, values)]
            for number in 0..<100 {
                asked.target = try target("photos/a\(number)")
                #expect(decide(asked, policies: PolicySet(), values: values).isAllowed == expected)
                asked.target = try target("photos/b\(number)")
                #expect(!decide(asked, policies: PolicySet(), values: values).isAllowed)
            }
            #expect(looks == 1)
        }
    }

    @Test func severalValuesAreAlternativesAndNegatedOnesAllExcluded() throws {
        let asked = try question(.key("k"), .none, ActionSet(.putObject))
        let sent = [("x-amz-acl", "b")]
        try expect(#"{"StringEquals":{"s3:x-amz-acl":["a","b"]}}"#, .yes, asked, sent)
        try expect(#"{"StringNotEquals":{"s3:x-amz-acl":["a","b"]}}"#, .no, asked, sent)
        try expect(#"{"StringNotEquals":{"s3:x-amz-acl":["a","c"]}}"#, .yes, asked, sent)
        // Operators and keys are all required.
        try expect(
            #"{"StringEquals":{"s3:x-amz-acl":"b"},"Bool":{"aws:SecureTransport":"false"}}"#,
            .no,
            asked,
            sent
        )
        try expect(
            #"{"StringEquals":{"s3:x-amz-acl":"b"},"Bool":{"aws:SecureTransport":true}}"#,
            .yes,
            asked,
            sent
        )
    }

    @Test func absenceItself() throws {
        let asked = try question(.key("k"), .none, ActionSet(.putObject))
        try expect(#"{"Null":{"s3:if-none-match":"true"}}"#, .yes, asked)
        try expect(#"{"Null":{"s3:if-none-match":"false"}}"#, .no, asked)
        try expect(#"{"Null":{"s3:if-none-match":true}}"#, .no, asked, [("if-none-match", "*")])
        try expect(#"{"Null":{"aws:username":"true"}}"#, .no, asked)
        try expect(#"{"Null":{"aws:username":"true"}}"#, .yes, try question(.anonymous))
    }

    @Test(arguments: [
        ("NumericEquals", "10", Ternary.yes), ("NumericNotEquals", "10", .no), ("NumericLessThan", "10", .no),
        ("NumericLessThanEquals", "10", .yes), ("NumericGreaterThan", "9.5", .yes),
        ("NumericGreaterThanEquals", "10.5", .no), ("NumericLessThan", "100", .yes), ("NumericGreaterThan", "-1", .yes),
    ])
    func numbers(_ name: String, _ value: String, _ expected: Ternary) throws {
        let asked = try question(.key("k"), .none, ActionSet(.listBucket), "photos?")
        let condition = #"{"\#(name)":{"s3:max-keys":\#(value)}}"#
        try expect(condition, expected, asked, [("?max-keys", "10")])
        try expect(condition, .unknown, asked, [("?max-keys", "1e1")])
        try expect(condition, name == "NumericNotEquals" ? .yes : .no, asked)
    }

    @Test(arguments: [
        ("DateLessThan", "2027-06-01T00:00:00Z", Ternary.yes), ("DateGreaterThan", "2027-06-01T00:00:00Z", .no),
        ("DateEquals", "2027-01-15T08:00:00Z", .yes), ("DateNotEquals", "2027-01-15T08:00:00Z", .no),
        ("DateLessThanEquals", "2027-01-15T08:00:00Z", .yes), ("DateLessThan", "2027-01-15T08:00:00Z", .no),
        ("DateGreaterThanEquals", "2027-01-15", .yes), ("DateGreaterThan", "1799999999", .yes),
        ("DateLessThan", "2027-01-15T08:00:00+02:00", .no),
    ])
    func dates(_ name: String, _ value: String, _ expected: Ternary) throws {
        // 1 800 000 000 is 2027-01-15T08:00:00Z.
        for key in ["aws:CurrentTime", "aws:EpochTime", "AWS:currenttime"] {
            try expect(#"{"\#(name)":{"\#(key)":"\#(value)"}}"#, expected, try question())
        }
    }

    @Test func epochTimeIsANumberToo() throws {
        try expect(#"{"NumericGreaterThan":{"aws:EpochTime":1799999999}}"#, .yes, try question())
        try expect(#"{"NumericGreaterThan":{"aws:EpochTime":"1800000000"}}"#, .no, try question())
    }

    @Test func addresses() throws {
        let office = #"{"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}}"#
        let outside = #"{"NotIpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}}"#
        for (address, expected) in [
            ("203.0.113.7", Ternary.yes), ("203.0.114.7", .no), ("2001:db8::5", .yes), ("::ffff:203.0.113.9", .yes),
        ] {
            try expect(office, expected, try question(from: address))
            try expect(outside, !expected, try question(from: address))
        }
    }

    @Test func withoutATrustworthyAddressPermissionsFailAndDenialsApply() throws {
        for condition in [
            #"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"}}"#, #"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
            #"{"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}}"#, #"{"Null":{"aws:SourceIp":"true"}}"#,
            #"{"ForAllValues:IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#,
        ] {
            try expect(condition, .unknown, try question(from: nil))
        }
        // Another condition that does not hold settles it.
        let both = #"{"IpAddress":{"aws:SourceIp":"0.0.0.0/0"},"Bool":{"aws:SecureTransport":"false"}}"#
        try expect(both, .no, try question(from: nil))
    }

    @Test func transport() throws {
        try expect(#"{"Bool":{"aws:SecureTransport":"true"}}"#, .yes, try question(.key("k")))
        try expect(#"{"Bool":{"aws:SecureTransport":false}}"#, .yes, try question(.key("k"), transport: .plain))
        try expect(#"{"Bool":{"aws:SecureTransport":"true"}}"#, .no, try question(.key("k"), transport: .plain))
    }

    @Test func listingPrefixes() throws {
        let home = #"{"StringLike":{"s3:prefix":["","home/${aws:username}/*"]}}"#
        func listing(_ prefix: String) throws -> AccessQuestion {
            try question(.user("alice"), .none, ActionSet(.listBucket), "photos?" + prefix)
        }
        try expect(home, .yes, try listing("home/alice/"))
        try expect(home, .no, try listing("home/bob/"))
        try expect(home, .yes, try listing(""), [("?prefix", "")])
        try expect(home, .no, try listing(""))
        try expect(#"{"StringEquals":{"s3:delimiter":"/"}}"#, .yes, try listing("a"), [("?delimiter", "/")])
    }

    @Test func whoAsks() throws {
        try expect(#"{"StringEquals":{"aws:username":"alice"}}"#, .yes, try question(.user("alice")))
        try expect(#"{"StringEquals":{"aws:username":"alice"}}"#, .yes, try question(.key("alice")))
        let token = Principal.identityProvider(name: "auth", subject: "alice")
        try expect(#"{"StringEquals":{"aws:username":"alice"}}"#, .no, try question(token))
        try expect(#"{"StringEquals":{"aws:userid":"idp:auth:alice"}}"#, .yes, try question(token))
        try expect(#"{"StringLike":{"aws:userid":"key:*"}}"#, .no, try question(.user("alice")))
    }

    // MARK: Resources

    @Test(arguments: [
        ("photos", "photos", true), ("photos", "photos/x", false), ("photos/*", "photos/x", true),
        ("photos/*", "photos", false), ("photos*", "photos", true), ("photos*", "photos-2/x", true),
        ("photos/a?c", "photos/abc", true), ("photos/a?c", "photos/a\u{e9}c", true), ("photos/a?c", "photos/ac", false),
        ("photos/a?c", "photos/abbc", false), ("photos/*/x", "photos/a/b/x", true), ("photos/*/x", "photos/x", false),
        ("photos/*a*b*", "photos/xxaxxbxx", true), ("photos/*a*b*", "photos/b/a", false), ("*", "photos/x", true),
        ("photos/A", "photos/a", false), ("photos/\u{e9}", "photos/e\u{301}", false), ("photos/${*}", "photos/*", true),
        ("photos/${*}", "photos/x", false), ("photos/${?}", "photos/?", true), ("photos/${$}{x}", "photos/${x}", true),
        ("photos/$x", "photos/$x", true), ("photos/${aws:username}/*", "photos/alice/x", true),
        ("photos/${aws:username}/*", "photos/bob/x", false), ("photos/${AWS:UserName}", "photos/alice", true),
        ("photos/${aws:userid}/*", "photos/user:alice/x", true),
    ])
    func resources(_ pattern: String, _ place: String, _ expected: Bool) throws {
        let set = try policies(document("Allow", "s3:*", pattern))
        let asked = try question(.user("alice"), .none, ActionSet(.getObject), place)
        #expect(decide(asked, policies: set, values: nothingSent).isAllowed == expected)
    }

    @Test(arguments: ["*", "a*", "?????", "${aws:username}", "../bob"])
    func aNameIsSubstitutedLiterallyAndOnce(_ name: String) throws {
        let set = try policies(document("Allow", "s3:*", "photos/home/${aws:username}/*"))
        for place in ["photos/home/alice/x", "photos/home/bob/x"] {
            let asked = try question(.user(name), .none, ActionSet(.getObject), place)
            #expect(!decide(asked, policies: set, values: nothingSent).isAllowed)
        }
    }

    @Test func aVariableWithoutValueMatchesNothingAndExcludesNothing() throws {
        let home = "photos/home/${aws:username}*"
        let asked = try question(.link("l"), .none, ActionSet(.getObject), "photos/home/")
        #expect(try !decide(asked, policies: policies(document("Allow", "s3:*", home)), values: nothingSent).isAllowed)
        let outside = { (effect: String) in
            document(effect, "s3:*", home).replacing(#""Resource""#, with: #""NotResource""#)
        }
        #expect(try !decide(asked, policies: policies(outside("Allow")), values: nothingSent).isAllowed)
        let both = try policies(document("Allow", "s3:*"), outside("Deny"))
        #expect(!decide(asked, policies: both, values: nothingSent).isAllowed)
        let fallback = try policies(document("Allow", "s3:*", "photos/home/${aws:username, 'guest'}/*"))
        let guest = try question(.link("l"), .none, ActionSet(.getObject), "photos/home/guest/x")
        #expect(decide(guest, policies: fallback, values: nothingSent).isAllowed)
    }

    @Test func aConditionOnAVariableWithoutValueIsNotKnownToDiffer() throws {
        let asked = try question(.link("l"), .none, ActionSet(.listBucket), "photos?a/")
        try expect(#"{"StringEquals":{"s3:prefix":"${aws:username}/"}}"#, .no, asked)
        try expect(#"{"StringNotEquals":{"s3:prefix":"${aws:username}/"}}"#, .unknown, asked)
    }
}
