import Testing

@testable import Identity

@Suite struct PrincipalPatternTests {
    private static let everyone: [Principal] = [
        .user("alice"), .user("bob"), .key("alice"), .key("build-1"),
        .identityProvider(name: "auth", subject: "alice"), .identityProvider(name: "github", subject: "repo:o/r:ref"),
        .role(id: "deployer", session: "s1"), .role(id: "auditor", session: "s:2"), .link("l1"), .anonymous,
    ]

    @Test(arguments: [
        (
            "*",
            [
                "user:alice", "user:bob", "key:alice", "key:build-1", "idp:auth:alice", "idp:github:repo:o/r:ref",
                "role:deployer:s1", "role:auditor:s:2", "link:l1",
            ]
        ),
        ("anonymous", ["anonymous"]),
        ("user:alice", ["user:alice"]),
        ("user:*", ["user:alice", "user:bob"]),
        ("key:*", ["key:alice", "key:build-1"]),
        ("key:build-*", ["key:build-1"]),
        ("user:a*e", ["user:alice"]),
        ("user:*l*c*", ["user:alice"]),
        ("user:alic", []),
        ("user:Alice", []),
        ("user:?lice", []),
        ("idp:auth:*", ["idp:auth:alice"]),
        ("idp:*:*", ["idp:auth:alice", "idp:github:repo:o/r:ref"]),
        ("idp:*:alice", ["idp:auth:alice"]),
        ("idp:github:repo:o/*", ["idp:github:repo:o/r:ref"]),
        ("role:deployer:*", ["role:deployer:s1"]),
        ("role:auditor:s:2", ["role:auditor:s:2"]),
        ("role:*:s1", ["role:deployer:s1"]),
        ("link:*", ["link:l1"]),
        ("user:anonymous", []),
    ])
    func matchesExactly(_ pattern: String, _ expected: [String]) throws {
        let parsed = try PrincipalPattern(parsing: pattern)
        #expect(Self.everyone.filter { parsed.matches($0) }.map(\.description) == expected)
    }

    @Test func aPrincipalOfAnotherKindNeverMatchesByItsText() throws {
        let pattern = try PrincipalPattern(parsing: "idp:auth:alice")
        #expect(!pattern.matches(.identityProvider(name: "auth:alice", subject: "")))
        #expect(!pattern.matches(.user("idp:auth:alice")))
    }

    @Test func comparesBytesNotCanonicalEquivalence() throws {
        #expect(!(try PrincipalPattern(parsing: "user:\u{e9}")).matches(.user("e\u{301}")))
    }

    @Test(arguments: [
        ("", PrincipalPatternError.empty),
        ("alice", .bareName("alice")),
        ("al*", .bareName("al*")),
        ("Anonymous", .bareName("Anonymous")),
        ("group:x", .unknownKind("group")),
        ("User:alice", .unknownKind("User")),
        (":alice", .unknownKind("")),
        ("*:alice", .unknownKind("*")),
        ("user:", .missingPart("user:")),
        ("idp:auth", .missingPart("idp:auth")),
        ("idp:auth:", .missingPart("idp:auth:")),
        ("idp::alice", .missingPart("idp::alice")),
        ("role:deployer", .missingPart("role:deployer")),
        ("anonymous:x", .unknownKind("anonymous")),
    ])
    func refuses(_ text: String, _ error: PrincipalPatternError) {
        #expect(throws: error) { try PrincipalPattern(parsing: text) }
    }

    @Test func aHostilePatternCostsLittle() throws {
        let pattern = try PrincipalPattern(parsing: "user:" + String(repeating: "a*", count: 100) + "b")
        #expect(!pattern.matches(.user(String(repeating: "a", count: 1000))))
    }
}
