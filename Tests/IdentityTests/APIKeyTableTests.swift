import Testing
import WireFormats

@testable import Identity

@Suite struct APIKeyTableTests {
    private func user(_ name: String) -> APIUser {
        APIUser(name: name, role: .user, allowedBuckets: AllowedBuckets(["photos"]))
    }

    @Test func findsTheUserOfAKey() throws {
        let table = try APIKeyTable([
            .init(digest: APIKeyDigest(of: "alice-key".utf8), user: user("alice")),
            .init(digest: APIKeyDigest(of: "bob-key".utf8), user: user("bob")),
        ])
        #expect(table.user(presenting: Array("alice-key".utf8))?.name == "alice")
        #expect(table.user(presenting: Array("bob-key".utf8))?.principal == .user("bob"))
    }

    @Test(arguments: ["", "alice", "alice-key ", " alice-key", "ALICE-KEY", "alice-key\u{0}", "alice-keyy", "alice-ke"])
    func aKeyThatIsNotExactlyThatIsNobodys(_ presented: String) throws {
        let table = try APIKeyTable([.init(digest: APIKeyDigest(of: "alice-key".utf8), user: user("alice"))])
        #expect(table.user(presenting: Array(presented.utf8)) == nil)
    }

    @Test func theDigestInTheConfigurationIsWorthAsMuchAsTheKey() throws {
        // printf alice-key | sha256sum
        let hex = Hex.encode(APIKeyDigest(of: "alice-key".utf8).bytes)
        let digest = try #require(APIKeyDigest(hex: hex))
        let table = try APIKeyTable([.init(digest: digest, user: user("alice"))])
        #expect(table.user(presenting: Array("alice-key".utf8))?.name == "alice")
        #expect(table.user(presenting: Array(hex.utf8)) == nil, "the digest itself is no key")
    }

    @Test func theDigestIsSHA256() {
        // FIPS 180-4, example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        #expect(Hex.encode(APIKeyDigest(of: "abc".utf8).bytes) == expected)
    }

    @Test(arguments: ["", "ab", String(repeating: "g", count: 64), String(repeating: "a", count: 63)])
    func aMalformedDigestIsRefused(_ hex: String) {
        #expect(APIKeyDigest(hex: hex) == nil)
    }

    @Test func twoUsersWithOneKeyAreAnError() {
        #expect(throws: APIKeyTableError.sameKey(users: ["alice", "bob"])) {
            try APIKeyTable([
                .init(digest: APIKeyDigest(of: "k".utf8), user: user("alice")),
                .init(digest: APIKeyDigest(of: "k".utf8), user: user("bob")),
            ])
        }
    }

    @Test func theEmptyKeyIsAnErrorAndNobodys() throws {
        #expect(throws: APIKeyTableError.emptyKey(user: "alice")) {
            try APIKeyTable([.init(digest: APIKeyDigest(of: []), user: user("alice"))])
        }
        #expect(try APIKeyTable().user(presenting: []) == nil)
    }

    @Test func anOverlongKeyIsNobodys() throws {
        let long = [UInt8](repeating: 65, count: APIKeyTable.maximumKeyLength + 1)
        let table = try APIKeyTable([.init(digest: APIKeyDigest(of: long), user: user("alice"))])
        #expect(table.user(presenting: long) == nil)
    }

    @Test func starAmongAllowedBucketsMeansEveryBucket() {
        #expect(AllowedBuckets(["*"]).contains("anything"))
        #expect(AllowedBuckets(["a", "*"]).contains("anything"))
        #expect(AllowedBuckets(["a"]).contains("a"))
        #expect(!AllowedBuckets(["a"]).contains("b"))
        #expect(!AllowedBuckets([]).contains("a"))
        #expect(!AllowedBuckets(["ph*"]).contains("photos"), "only * alone is a wildcard")
    }
}
