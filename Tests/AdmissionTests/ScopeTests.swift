import Identity
import S3API
import Testing

@testable import Admission

@Suite struct ScopeTests {
    private func allows(
        _ scope: Scope,
        _ actions: ActionSet,
        _ place: String,
        _ facts: AccessQuestion.BucketFacts = .init(keepsKeys: true)
    ) throws -> Bool {
        decide(
            try question(.key("k"), .scopes([scope]), actions, place, facts: facts),
            policies: PolicySet(),
            values: nothingSent
        ).isAllowed
    }

    @Test(arguments: [
        ("", "anything", true), ("a/", "a/b", true), ("a/", "a/", true), ("a/", "a", false), ("a/", "ab", false),
        ("a", "a", true), ("a", "a/b", true), ("a", "a/", true), ("a", "ab", false), ("a", "A", false),
        ("a", "b/a", false), ("a/b", "a/b/c", true), ("a/b", "a/bc", false), ("a//", "a//b", true),
        ("a//", "a/b", false), ("\u{e9}/", "\u{e9}/x", true), ("\u{e9}/", "e\u{301}/x", false), ("*", "a", false),
        ("a*", "ab", false), ("/", "/a", true), ("/", "a", false), ("a/../", "a/b", false), ("a%2F", "a/b", false),
    ])
    func aKeyIsWithinAPrefix(_ prefix: String, _ key: String, _ expected: Bool) throws {
        let scope = try Scope(bucket: "photos", prefixes: [prefix], actions: ["get_object"])
        #expect(try allows(scope, ActionSet(.getObject), "photos/" + key) == expected)
    }

    @Test(arguments: [("a//", "a//b"), ("/", "/a")])
    func aKeyThatAStoreMayTakeForAnotherHasToBeWithinAsThatToo(_ prefix: String, _ key: String) throws {
        let scope = try Scope(bucket: "photos", prefixes: [prefix], actions: ["get_object"])
        #expect(try !allows(scope, ActionSet(.getObject), "photos/" + key, .init()))
        let both = try Scope(bucket: "photos", prefixes: [prefix, "a"], actions: ["get_object"])
        #expect(try allows(both, ActionSet(.getObject), "photos/" + key, .init()))
    }

    @Test(arguments: [
        ("", "", true), ("", "x", true), ("a", "a", false), ("a", "a/", true), ("a", "a/b", true), ("a", "", false),
        ("a", "ab", false), ("a", "ab/", false), ("a/", "a/", true), ("a/", "a/b", true), ("a/", "a", false),
        ("a/", "", false), ("a/b", "a/", false), ("a/b", "a/b", false), ("a/b", "a/b/", true),
    ])
    func aListingStaysInsideThePrefixTakenAsAFolder(_ prefix: String, _ listed: String, _ expected: Bool) throws {
        let scope = try Scope(bucket: "photos", prefixes: [prefix], actions: ["list"])
        for action in [S3Action.listBucket, .listVersions, .listUploads] {
            #expect(try allows(scope, ActionSet(action), "photos?" + listed) == expected)
        }
    }

    @Test func noPrefixMeansTheWholeBucketAndOneOfSeveralSuffices() throws {
        let whole = try Scope(bucket: "photos", actions: ["read"])
        #expect(try allows(whole, ActionSet(.getObject), "photos/x"))
        let two = try Scope(bucket: "photos", prefixes: ["a/", "b/"], actions: ["read"])
        #expect(try allows(two, ActionSet(.getObject), "photos/b/x"))
        #expect(try !allows(two, ActionSet(.getObject), "photos/c/x"))
    }

    @Test func starMatchesEveryBucketAndIsNotComparedLiterally() throws {
        let scope = try Scope(bucket: "*", actions: ["read"])
        #expect(try allows(scope, ActionSet(.getObject), "photos/x"))
        #expect(try allows(scope, ActionSet(.getObject), "other/x"))
        #expect(throws: ScopeError.invalidBucket("ph*")) { try Scope(bucket: "ph*", actions: ["read"]) }
        #expect(throws: ScopeError.invalidBucket("")) { try Scope(bucket: "", actions: ["read"]) }
    }

    @Test func aScopeOfPrefixesDoesNotCoverTheBucketAsAWhole() throws {
        let scope = try Scope(bucket: "photos", prefixes: ["a/"], actions: ["*", "configure", "delete_bucket"])
        #expect(try allows(scope, ActionSet(.headBucket), "photos"))
        #expect(try !allows(scope, ActionSet(.putBucketPolicy), "photos"))
        #expect(try !allows(scope, ActionSet(.deleteBucket), "photos"))
        #expect(try !allows(scope, ActionSet(.listBucket), "photos"))
    }

    @Test func everyActionOfARequestMustBePermittedByAScopeThatCoversIt() throws {
        let scopes = [
            try Scope(bucket: "photos", prefixes: ["a/"], actions: ["put_object"]),
            try Scope(bucket: "photos", prefixes: ["a/b/"], actions: ["put_object_acl"]),
        ]
        let both = ActionSet([.putObject, .putObjectACL])
        for (place, expected) in [("photos/a/b/c", true), ("photos/a/c", false)] {
            let asked = try question(.key("k"), .scopes(scopes), both, place)
            #expect(decide(asked, policies: PolicySet(), values: nothingSent).isAllowed == expected)
        }
    }

    @Test func impliedActions() throws {
        let get = try Scope(bucket: "photos", actions: ["get_object"])
        #expect(try allows(get, ActionSet(.headObject), "photos/x"))
        #expect(try !allows(get, ActionSet(.getObjectVersion), "photos/x"))
        let head = try Scope(bucket: "photos", actions: ["head_object"])
        #expect(try !allows(head, ActionSet(.getObject), "photos/x"))
    }

    @Test(arguments: S3Action.allCases)
    func groupsHoldWhatTheContractNames(_ action: S3Action) throws {
        let group: String? =
            switch action {
            case .getObject, .headObject, .getObjectVersion, .getObjectTagging, .getObjectVersionTagging,
                .getObjectAttributes, .getObjectVersionAttributes:
                "read"
            case .listBucket, .listVersions, .listUploads, .listParts, .headBucket, .getBucketLocation,
                .listAllMyBuckets:
                "list"
            case .putObject, .multipart, .abortMultipartUpload, .putObjectTagging, .putObjectVersionTagging,
                .deleteObjectTagging, .deleteObjectVersionTagging:
                "write"
            case .deleteObject, .deleteObjectVersion: "delete"
            default: nil
            }
        for name in ["read", "list", "write", "delete"] {
            let scope = try Scope(bucket: "photos", actions: [name])
            #expect(scope.actions.contains(action) == (name == group))
        }
        #expect(try Scope(bucket: "photos", actions: ["*"]).actions.contains(action) == (group != nil))
    }

    @Test func everythingEverywhereIncludesBucketsOnlyWhereTheAccountOwnsThemAll() throws {
        let administers = ActionSet([.createBucket, .putBucketPolicy])
        let owner = AccessQuestion.BucketFacts(accountOwnsEveryBucket: true)
        for (scope, facts, expected) in [
            (try Scope(bucket: "*", actions: ["*"]), owner, true),
            (try Scope(bucket: "*", actions: ["*"]), .init(), false),
            (try Scope(bucket: "photos", actions: ["*"]), owner, false),
            (try Scope(bucket: "*", actions: ["read", "list", "write", "delete"]), owner, false),
            (try Scope(bucket: "*", prefixes: ["a/"], actions: ["*"]), owner, false),
            (try Scope(bucket: "photos", actions: ["configure", "create_bucket"]), .init(), true),
        ] {
            let asked = try question(.key("k"), .scopes([scope]), administers, "photos", facts: facts)
            #expect(decide(asked, policies: PolicySet(), values: nothingSent).isAllowed == expected)
        }
        let scope = try Scope(bucket: "*", actions: ["*"])
        for action in [S3Action.getObjectACL, .putObjectACL, .putObjectRetention, .putObjectLegalHold, .restoreObject] {
            let asked = try question(.key("k"), .scopes([scope]), ActionSet(action), "photos/x", facts: owner)
            #expect(decide(asked, policies: PolicySet(), values: nothingSent).isAllowed)
            let elsewhere = try question(.key("k"), .scopes([scope]), ActionSet(action), "photos/x")
            #expect(!decide(elsewhere, policies: PolicySet(), values: nothingSent).isAllowed)
        }
        for action in [S3Action.share, .shareLink, .bypassGovernance] {
            let asked = try question(.key("k"), .scopes([scope]), ActionSet(action), "photos/x", facts: owner)
            #expect(!decide(asked, policies: PolicySet(), values: nothingSent).isAllowed)
        }
    }

    @Test func unknownActionsAndOverlongPrefixesAreErrors() {
        #expect(throws: ScopeError.unknownAction("reed")) { try Scope(bucket: "photos", actions: ["reed"]) }
        let long = String(repeating: "a", count: 1025)
        #expect(throws: ScopeError.prefixTooLong(long)) {
            try Scope(bucket: "photos", prefixes: [long], actions: ["read"])
        }
    }
}
