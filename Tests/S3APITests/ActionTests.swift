import S3API
import Testing

@Suite struct ActionTests {
    @Test func everyActionHasItsOwnBit() {
        var seen: ActionSet = []
        for (place, action) in S3Action.allCases.enumerated() {
            #expect(ActionSet(action).rawValue == 1 << UInt128(place))
            seen.formUnion(ActionSet(action))
        }
        #expect(seen.actions == S3Action.allCases)
    }

    @Test func everyNameCanBeRead() {
        for name in ActionSet.names { #expect(ActionSet(named: name) != nil, "\(name)") }
        #expect(ActionSet(named: "s3:GetObject") == nil)
        #expect(ActionSet(named: "Read") == nil)
    }

    @Test func whatMustBeNamedIsInNoGroup() {
        let named = [
            S3Action.createBucket, .deleteBucket, .share, .shareLink, .bypassGovernance, .putObjectACL,
            .putBucketPolicy, .putObjectRetention,
        ]
        for action in named { #expect(!ActionSet.all.contains(action)) }
        #expect(ActionSet.configure.isDisjoint(with: .all))
        #expect(ActionSet.administerBuckets.contains(.createBucket))
    }

    @Test func whoMayGetMayAskForTheHead() throws {
        #expect(try #require(ActionSet(named: "get_object")).contains(.headObject))
        #expect(try #require(ActionSet(named: "put_object")).contains(.multipart))
        #expect(try #require(ActionSet(named: "list_bucket")).contains(.headBucket))
        #expect(!(try #require(ActionSet(named: "head_object"))).contains(.getObject))
    }

    @Test func readingOperationsStayUnderTheReadOnlyCeiling() {
        let changes = S3Operation.allCases.filter { $0.kind == .write || $0.kind == .delete }
        for operation in changes {
            #expect(ActionSet.readOnlyCeiling.isDisjoint(with: operation.actions), "\(operation)")
        }
    }
}
