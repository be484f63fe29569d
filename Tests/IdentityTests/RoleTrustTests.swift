import Identity
import Testing

@Suite("Whom a role trusts")
struct RoleTrustTests {
    @Test(
        "Subjects are matched from their beginning to their end, and nothing but * and ? is special",
        arguments: [
            ("repo:org/app:*", "repo:org/app:ref:refs/heads/main", true), ("repo:org/app:*", "repo:org/app:", true),
            // Attacks: a longer name, another case, something before, something around.
            ("repo:org/app:*", "repo:org/app-evil:ref:refs/heads/main", false),
            ("repo:org/app:*", "repo:org/app", false), ("repo:org/app:*", "xrepo:org/app:main", false),
            ("repo:org/app:*", "repo:ORG/app:main", false), ("repo:org/app:*", "repo:org/appX:main", false),
            ("repo:org/app:ref:refs/heads/*", "repo:org/app:pull_request", false),
            ("repo:org/*:ref:refs/heads/main", "repo:org/a:ref:refs/heads/main", true),
            ("repo:org/*:ref:refs/heads/main", "repo:org/a:ref:refs/heads/main2", false),
            ("repo:org/app:main", "repo:org/app:main\n", false), ("repo:org/app:main", "repo:org/app:main ", false),
            ("repo.org", "repoxorg", false), ("[a]", "a", false), ("a|b", "a", false), ("^a$", "a", false),
            ("a?c", "abc", true), ("a?c", "ac", false), ("a?c", "a\u{20ac}c", true), ("a?c", "abbc", false),
            ("*", "", true), ("*", "anything", true), ("**", "x", true), ("", "", true), ("", "x", false),
            ("*a*a*a*b", String(repeating: "a", count: 5000), false), ("\u{e9}", "e\u{301}", false),
        ]
    )
    func subjects(pattern: String, subject: String, matches: Bool) {
        #expect(SubjectPattern(pattern).matches(subject) == matches)
    }

    private let trust = RoleTrust(
        issuers: ["https://ci.example.com"],
        audiences: ["sts.files.example.com"],
        subjects: [SubjectPattern("repo:org/app:*"), SubjectPattern("repo:org/lib:*")]
    )

    @Test("Issuer, audience and subject all have to fit")
    func token() {
        func refusal(
            _ issuer: String = "https://ci.example.com",
            _ audiences: Set<String> = ["sts.files.example.com"],
            _ subject: String? = "repo:org/lib:main"
        ) -> TrustRefusal? {
            trust.refusal(issuer: issuer, audiences: audiences, subject: subject)
        }
        #expect(refusal() == nil)
        #expect(refusal("https://ci.example.com", ["other", "sts.files.example.com"]) == nil)
        #expect(refusal("https://ci.example.com/") == .issuer)
        #expect(refusal("https://CI.example.com") == .issuer)
        #expect(refusal("") == .issuer)
        #expect(refusal("https://ci.example.com", ["sts.files.example.com.evil"]) == .audience)
        #expect(refusal("https://ci.example.com", []) == .audience)
        #expect(refusal("https://ci.example.com", ["sts.files.example.com"], nil) == .subject)
        #expect(refusal("https://ci.example.com", ["sts.files.example.com"], "repo:org/app-evil:main") == .subject)
        #expect(RoleTrust().refusal(issuer: "", audiences: [], subject: "") == .issuer)
        let open = RoleTrust(issuers: ["i"], subjects: [SubjectPattern("*")])
        #expect(open.refusal(issuer: "i", audiences: [], subject: nil) == .subject)
    }

    @Test("Callers are admitted by typed identity, nobody without a credential ever")
    func principals() throws {
        let trust = RoleTrust(principals: [
            try PrincipalPattern(parsing: "key:build-*"), try PrincipalPattern(parsing: "*"),
        ])
        #expect(trust.admits(.key("build-1")) && trust.admits(.user("x")) && !trust.admits(.anonymous))
        let narrow = RoleTrust(principals: [try PrincipalPattern(parsing: "user:alice")])
        #expect(narrow.admits(.user("alice")) && !narrow.admits(.key("alice")) && !narrow.admits(.user("alice2")))
        #expect(!RoleTrust().admits(.user("alice")))
    }
}
