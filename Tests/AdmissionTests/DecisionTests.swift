import Identity
import S3API
import Testing

@testable import Admission

@Suite struct DecisionTests {
    private static let open = AccessQuestion.BucketFacts(anonymousAccess: true)

    private func verdict(_ asked: AccessQuestion, _ policies: PolicySet = PolicySet()) -> Verdict {
        decide(asked, policies: policies, values: nothingSent)
    }

    // MARK: Roles

    @Test(arguments: S3Action.allCases.filter { $0 != .listAllMyBuckets })
    func rolesPermitTheirGroupsOnTheirBuckets(_ action: S3Action) throws {
        let readable = ActionSet.read.union(.list).contains(action)
        let usable = ActionSet.all.contains(action) || [.share, .shareLink].contains(action)
        for (role, expected) in [(UserRole.readonly, readable), (.user, usable), (.admin, usable)] {
            for buckets in [["photos"], ["*"]] {
                let basis = RightsBasis.user(role, AllowedBuckets(buckets))
                let asked = try question(.user("u"), basis, ActionSet(action), "photos/x")
                #expect(verdict(asked).isAllowed == expected)
            }
            for buckets in [["docs"], [], ["photo"], ["ph*"]] {
                let basis = RightsBasis.user(role, AllowedBuckets(buckets))
                #expect(try !verdict(question(.user("u"), basis, ActionSet(action), "photos/x")).isAllowed)
            }
        }
    }

    @Test func readonlyIsACeilingThatNoPolicyLifts() throws {
        let everything = try policies(document("Allow", "*"))
        let basis = RightsBasis.user(.readonly, .every)
        for action in [S3Action.putObject, .deleteObject, .putBucketPolicy, .share, .getObjectACL] {
            let asked = try question(.user("u"), basis, ActionSet(action), "photos/x")
            #expect(verdict(asked, everything) == .denied(.readonly(action)))
        }
        let both = ActionSet([.getObject, .putObject])
        #expect(try verdict(question(.user("u"), basis, both), everything) == .denied(.readonly(.putObject)))
        // A policy does let it read elsewhere.
        let elsewhere = RightsBasis.user(.readonly, AllowedBuckets(["docs"]))
        #expect(try verdict(question(.user("u"), elsewhere), everything) == .allowed(.policy("p1")))
    }

    @Test func adminsAreNotAboveDenials() throws {
        let basis = RightsBasis.user(.admin, .every)
        let denial = try policies(document("Deny", "s3:DeleteObject"))
        let asked = try question(.user("root"), basis, ActionSet(.deleteObject))
        #expect(verdict(asked) == .allowed(.role(.admin)))
        #expect(verdict(asked, denial) == .denied(.explicitDeny(policy: "p1")))
    }

    @Test func adminsConfigureNothingUnlessAPolicySaysSo() throws {
        let basis = RightsBasis.user(.admin, .every)
        let facts = AccessQuestion.BucketFacts(accountOwnsEveryBucket: true)
        let asked = try question(.user("root"), basis, ActionSet(.createBucket), "photos", facts: facts)
        #expect(verdict(asked) == .denied(.notPermitted(.createBucket)))
        #expect(try verdict(asked, policies(document("Allow", "s3:CreateBucket"))) == .allowed(.policy("p1")))
    }

    // MARK: Standing

    @Test func disabledAndExpiredPrincipalsHaveNothingNotEvenAnonymousRights() throws {
        for (standing, reason) in [(AccessQuestion.Standing.disabled, DenyReason.disabled), (.expired, .expired)] {
            var asked = try question(.user("u"), .user(.admin, .every), facts: Self.open)
            asked.standing = standing
            #expect(try verdict(asked, policies(document("Allow", "*"))) == .denied(reason))
        }
    }

    // MARK: Anonymous rights

    @Test(arguments: S3Action.allCases.filter { $0 != .listAllMyBuckets })
    func anonymousAccessIsReadingAndListingOnly(_ action: S3Action) throws {
        let expected = [S3Action.getObject, .headObject, .listBucket, .headBucket].contains(action)
        let asked = try question(.anonymous, .none, ActionSet(action), "photos/x", facts: Self.open)
        #expect(verdict(asked).isAllowed == expected)
        #expect(try !verdict(question(.anonymous, .none, ActionSet(action), "photos/x")).isAllowed)
    }

    @Test func anyValidCallerHasTheAnonymousRightsToo() throws {
        let stranger = RightsBasis.user(.user, AllowedBuckets(["docs"]))
        #expect(try verdict(question(.user("u"), stranger, facts: Self.open)) == .allowed(.anonymousAccess))
        #expect(try verdict(question(.key("k"), .scopes([]), facts: Self.open)) == .allowed(.anonymousAccess))
        #expect(try verdict(question(.user("u"), stranger)) == .denied(.notPermitted(.getObject)))
    }

    @Test func denialsConcernAnonymousRightsToo() throws {
        let denial = try policies(document("Deny", "s3:GetObject", "photos/private/*"))
        let asked = try question(.anonymous, .none, ActionSet(.getObject), "photos/private/x", facts: Self.open)
        #expect(verdict(asked, denial) == .denied(.explicitDeny(policy: "p1")))
        let head = try question(.anonymous, .none, ActionSet(.headObject), "photos/private/x", facts: Self.open)
        #expect(verdict(head, denial) == .denied(.explicitDeny(policy: "p1")), "s3:GetObject is HeadObject too")
    }

    @Test func starPoliciesDoNotConcernAnonymousCallers() throws {
        let star = try policies(document("Allow", "s3:GetObject"), appliesTo: ["*"])
        #expect(try !verdict(question(.anonymous), star).isAllowed)
        #expect(try verdict(question(.key("k")), star).isAllowed)
        let named = try policies(document("Allow", "s3:GetObject"), appliesTo: ["anonymous"])
        #expect(try verdict(question(.anonymous), named).isAllowed)
        #expect(try !verdict(question(.key("k")), named).isAllowed)
    }

    // MARK: The whole formula

    @Test func permissionsAddUpActionByAction() throws {
        let scope = try Scope(bucket: "photos", actions: ["put_object"])
        let tags = try policies(document("Allow", "s3:PutObjectTagging"), appliesTo: ["key:k"])
        let both = ActionSet([.putObject, .putObjectTagging])
        #expect(try verdict(question(.key("k"), .scopes([scope]), both), tags) == .allowed(.policy("p1")))
        #expect(
            try verdict(question(.key("other"), .scopes([scope]), both), tags)
                == .denied(.notPermitted(.putObjectTagging))
        )
    }

    @Test func oneDeniedActionDeniesTheRequest() throws {
        let denial = try policies(document("Deny", "s3:PutObjectAcl"))
        let both = ActionSet([.putObject, .putObjectACL])
        let scope = try Scope(bucket: "*", actions: ["put_object", "put_object_acl"])
        #expect(try !verdict(question(.key("k"), .scopes([scope]), both), denial).isAllowed)
        #expect(try verdict(question(.key("k"), .scopes([scope]), ActionSet(.putObject)), denial).isAllowed)
    }

    @Test func aDenialWinsWhereverItStands() throws {
        let allow = document("Allow", "s3:*")
        let deny = document("Deny", "s3:GetObject", "photos/*")
        for set in [try policies(allow, deny), try policies(deny, allow)] {
            #expect(try !verdict(question(), set).isAllowed)
            #expect(try verdict(question(.key("k"), .none, ActionSet(.getObject), "docs/x"), set).isAllowed)
        }
    }

    @Test func aSessionPolicyOnlyNarrows() throws {
        let session = try PolicyDocument(parsing: document("Allow", "s3:GetObject", "photos/a/*").utf8)
        let scope = try Scope(bucket: "*", actions: ["read"])
        for (place, basis, expected) in [
            ("photos/a/x", RightsBasis.scopes([scope]), true), ("photos/b/x", .scopes([scope]), false),
            ("photos/a/x", .none, false),
        ] {
            var asked = try question(.key("k"), basis, ActionSet(.getObject), place)
            asked.sessionPolicies = [session]
            let verdict = decide(asked, policies: PolicySet(), values: nothingSent)
            #expect(verdict.isAllowed == expected)
        }
    }

    @Test func aQuestionWithoutActionsIsRefused() throws {
        #expect(try verdict(question(.user("u"), .user(.admin, .every), [])) == .denied(.nothingAsked))
    }

    // MARK: ListBuckets

    @Test func listBucketsIsForCallersWithACredential() throws {
        let list = ActionSet(.listAllMyBuckets)
        #expect(try verdict(question(.key("k"), .none, list, "")) == .allowed(.filtered))
        #expect(try !verdict(question(.anonymous, .none, list, "")).isAllowed)
        let denial = try policies(document("Deny", "s3:ListAllMyBuckets"))
        #expect(try !verdict(question(.key("k"), .none, list, ""), denial).isAllowed)
    }

    @Test func listBucketsShowsWhatTheCallerMayList() throws {
        let all = ["photos", "docs", "open"]
        func shown(_ principal: Principal, _ basis: RightsBasis, _ set: PolicySet = PolicySet()) throws -> [String] {
            let asked = try question(principal, basis, ActionSet(.listAllMyBuckets), "")
            return try all.filter {
                mayList(
                    try bucketName($0),
                    .init(anonymousAccess: $0 == "open"),
                    for: asked,
                    policies: set,
                    values: nothingSent
                )
            }
        }
        let user = RightsBasis.user(.user, AllowedBuckets(["photos"]))
        #expect(try shown(.user("u"), user) == ["photos", "open"])
        #expect(try shown(.user("u"), .user(.readonly, .every)) == all)
        #expect(try shown(.anonymous, .none) == ["open"])
        let folder = try Scope(bucket: "docs", prefixes: ["a/"], actions: ["list"])
        #expect(try shown(.key("k"), .scopes([folder])) == ["docs", "open"])
        let reader = try Scope(bucket: "docs", actions: ["get_object"])
        #expect(try shown(.key("k"), .scopes([reader])) == ["open"])
        let policy = try policies(
            document("Allow", "s3:ListBucket", "docs"),
            document("Deny", "s3:ListBucket", "photos")
        )
        #expect(try shown(.user("u"), user, policy) == ["docs", "open"])
    }
}
