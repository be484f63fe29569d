import S3API
import Testing
import WireFormats

@Suite("What a form's policy permits")
struct PostPolicyTests {
    static let now = Instant(secondsSince1970: 1_750_000_000)

    private static func policy(_ conditions: String, expiration: String = "2025-06-15T16:00:00Z") throws -> PostPolicy {
        let text = #"{"expiration": "\#(expiration)", "conditions": [\#(conditions)]}"#
        return try PostPolicy(field: Array(Base64.encode(text.utf8).utf8))
    }

    private static func check(
        _ conditions: String,
        _ fields: [(String, String)],
        length: Int64 = 7,
        expiration: String = "2025-06-15T16:00:00Z"
    ) throws {
        let bucket = try #require(BucketName(validating: Array("photos".utf8)))
        let policy = try policy(conditions, expiration: expiration)
        let form = try SampleForm.read(SampleForm(fields).bytes).form
        try policy.check(form.fields, bucket: bucket, length: length, at: now)
    }

    static let base = #"{"bucket": "photos"}, ["starts-with", "$key", "user/"]"#

    static let permitted: [(conditions: String, fields: [(String, String)])] = [
        (base, [("key", "user/a")]),
        (#"{"bucket": "photos"}, {"key": "a.txt"}"#, [("key", "a.txt"), ("policy", "x"), ("x-amz-signature", "s")]),
        (#"["eq", "$bucket", "photos"], ["eq", "$key", "user/photo.jpg"]"#, [("key", "user/${filename}")]),
        (
            #"{"bUcKeT": "photos"}, ["StArTs-WiTh", "$KeY", "user"], {"AcL": "private"}"#,
            [("kEy", "user/a"), ("aCl", "private")]
        ),
        (base + #", ["starts-with", "$Content-Type", "image/"]"#, [("key", "user/a"), ("Content-Type", "image/png")]),
        (
            base + #", ["starts-with", "$Content-Type", "image/"]"#,
            [("key", "user/a"), ("Content-Type", "image/png, image/gif")]
        ),
        (base + #", ["starts-with", "$Content-Type", ""]"#, [("key", "user/a")]),
        (base + #", ["starts-with", "$x-amz-meta-tag", ""]"#, [("key", "user/a"), ("x-amz-meta-tag", "any, thing")]),
        (base + #", ["content-length-range", 7, 7]"#, [("key", "user/a")]),
        (base + #", ["content-length-range", "0", "1048576"]"#, [("key", "user/a")]),
        (base, [("key", "user/a"), ("x-ignore-me", "b"), ("signature", "s"), ("AWSAccessKeyId", "K")]),
        (#"{"bucket": "photos"}, ["starts-with", "$key", "\\$foo"]"#, [("key", "\\$foo.txt")]),
    ]

    @Test("A form that meets every condition", arguments: permitted.indices)
    func meets(index: Int) throws {
        try Self.check(Self.permitted[index].conditions, Self.permitted[index].fields)
    }

    static let violations: [(conditions: String, fields: [(String, String)], code: S3Error.Code)] = [
        (base, [("key", "other/a")], .accessDenied),
        (base, [("key", "User/a")], .accessDenied),
        (base, [], .accessDenied),
        (#"["starts-with", "$key", ""]"#, [("key", "a")], .accessDenied),
        (#"{"bucket": "photos"}"#, [("key", "a")], .accessDenied),
        (#"{"bucket": "other"}, ["starts-with", "$key", ""]"#, [("key", "a")], .accessDenied),
        (base + #", {"acl": "private"}"#, [("key", "user/a")], .accessDenied),
        (base + #", {"acl": "private"}"#, [("key", "user/a"), ("acl", "public-read")], .accessDenied),
        (base, [("key", "user/a"), ("acl", "public-read")], .accessDenied),
        (base, [("key", "user/a"), ("Content-Type", "text/html")], .accessDenied),
        (base, [("key", "user/a"), ("x-amz-meta-a", "b")], .accessDenied),
        (base, [("key", "user/a"), ("success_action_redirect", "https://evil.example")], .accessDenied),
        (base, [("key", "user/a"), ("submit", "Upload")], .accessDenied),
        (
            base + #", ["starts-with", "$Content-Type", "image/"]"#,
            [("key", "user/a"), ("Content-Type", "image/png, text/html")], .accessDenied
        ),
        (base + #", ["starts-with", "$Content-Type", "image/"]"#, [("key", "user/a")], .accessDenied),
        (
            base + #", ["starts-with", "$x-amz-meta-a", "b"]"#, [("key", "user/a"), ("x-amz-meta-a", "c,b")],
            .accessDenied
        ),
        (base + #", ["content-length-range", 8, 9]"#, [("key", "user/a")], .entityTooSmall),
        (base + #", ["content-length-range", 0, 6]"#, [("key", "user/a")], .entityTooLarge),
        (
            base + #", ["content-length-range", 0, 9], ["content-length-range", 8, 100]"#, [("key", "user/a")],
            .entityTooSmall
        ),
    ]

    @Test("Whatever it does not permit is refused", arguments: violations.indices)
    func violates(index: Int) {
        let (conditions, fields, code) = Self.violations[index]
        let error = #expect(throws: S3Error.self) { try Self.check(conditions, fields) }
        #expect(error?.code == code)
        if code == .accessDenied { #expect(error?.message.hasPrefix("Invalid according to Policy: ") == true) }
    }

    @Test("It ends when it says", arguments: [("2025-06-15T15:06:40Z", true), ("2025-06-15T15:06:39.999Z", false)])
    func expiry(expiration: String, good: Bool) throws {
        if good {
            try Self.check(Self.base, [("key", "user/a")], expiration: expiration)
        } else {
            let error = #expect(throws: S3Error.self) {
                try Self.check(Self.base, [("key", "user/a")], expiration: expiration)
            }
            #expect(error?.message == "Invalid according to Policy: Policy expired.")
        }
    }

    @Test(
        "A document that is not understood to the last is refused",
        arguments: [
            "", "[]", "{", #"{"expiration": "2025-06-15T16:00:00Z"}"#, #"{"conditions": []}"#,
            #"{"expiration": "tomorrow", "conditions": []}"#, #"{"expiration": 5, "conditions": []}"#,
            #"{"expiration": "2025-06-15T16:00:00Z", "conditions": {}}"#,
            #"{"expiration": "2025-06-15T16:00:00Z", "conditions": [], "expiration": "2099-06-15T16:00:00Z"}"#,
            #"{"expiration": "2025-06-15T16:00:00Z", "conditions": [], "more": 1}"#, condition("{}"),
            condition(#"{"a": "b", "c": "d"}"#), condition(#"{"acl": 1}"#), condition(#"["eq", "$key"]"#),
            condition(#"["eq", "key", "a"]"#), condition(#"["eq", "$key", 1]"#),
            condition(#"["ends-with", "$key", "a"]"#),
            condition(#"["eq", "$", "a"]"#), condition(#"["content-length-range", 0]"#),
            condition(#"["content-length-range", -1, 0]"#), condition(#"["content-length-range", 5, 4]"#),
            condition(#"["content-length-range", 1.5, 4]"#), condition(#"["content-length-range", "a", 4]"#),
            condition(#""key""#), condition(#"["eq", "$key", "a", "b"]"#), condition("null"),
        ]
    )
    func invalid(document: String) {
        let error = #expect(throws: S3Error.self) {
            try PostPolicy(field: Array(Base64.encode(document.utf8).utf8))
        }
        #expect(error?.code == .invalidPolicyDocument)
    }

    private static func condition(_ text: String) -> String {
        #"{"expiration": "2025-06-15T16:00:00Z", "conditions": [\#(text)]}"#
    }

    @Test("Base 64 has one spelling, and an end")
    func base64() throws {
        let good = Base64.encode(#"{"expiration": "2025-06-15T16:00:00Z", "conditions": []}"#.utf8)
        _ = try PostPolicy(field: Array(good.utf8))
        for bad in [good + "\n", good.dropLast() + "", "****", String(repeating: "A", count: 40_000)] {
            #expect(throws: S3Error.self) { try PostPolicy(field: Array(bad.utf8)) }
        }
    }
}
