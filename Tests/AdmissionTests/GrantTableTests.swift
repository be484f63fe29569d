import Identity
import S3API
import Testing
import WireFormats

@testable import Admission

@Suite("Grants are found by where they are about")
struct GrantTableTests {
    private static let bob = Principal.user("bob")

    private static func right(
        _ id: String,
        _ reach: GivenRight.Reach,
        in bucket: String = "photos",
        actions: [S3Action] = [.getObject],
        until seconds: Int64 = 60
    ) throws -> GivenRight {
        GivenRight(
            id: id,
            bucket: try bucketName(bucket),
            reach: reach,
            actions: ActionSet(actions),
            giver: Giver(.user("alice")),
            issuedAt: Instant(secondsSince1970: 1_800_000_000),
            expiresAt: Instant(secondsSince1970: 1_800_000_000 + seconds)
        )
    }

    private static func prefix(_ text: String) -> GivenRight.Reach { .prefix(Array(text.utf8)) }

    private func found(_ table: GrantTable, _ place: String) throws -> [String] {
        table.rights(of: Self.bob, at: try target(place)).map(\.id)
    }

    @Test("Thousands of grants elsewhere are not looked at")
    func elsewhere() throws {
        var table = GrantTable()
        for number in 0..<3000 {
            let right =
                switch number % 4 {
                case 0: try Self.right("\(number)", .key(ObjectKey("k\(number)")))
                case 1: try Self.right("\(number)", Self.prefix("p\(number)/"))
                case 2: try Self.right("\(number)", Self.prefix(""), in: "docs")
                default: try Self.right("\(number)", .key(ObjectKey("k")), in: "docs")
                }
            table.insert(right, for: .principal(Self.bob))
        }
        #expect(try found(table, "photos/q").isEmpty)
        #expect(try found(table, "other/k4").isEmpty)
        #expect(try found(table, "photos?q").isEmpty)
        #expect(try found(table, "photos/k4") == ["4"])
        #expect(try found(table, "photos/p9/a") == ["9"])
        #expect(try found(table, "photos?p9/") == ["9"])
        #expect(table.rights(of: .user("eve"), at: try target("photos/k4")).isEmpty)
        for number in 0..<3000 { table.remove("\(number)") }
        #expect(table.isEmpty && table.count(givenBy: .user("alice")) == 0)
        #expect(try found(table, "photos/k4").isEmpty)
    }

    @Test("What is found by its place is what a look at every grant finds", arguments: 0..<6)
    func likeALookAtAll(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        func name() -> String {
            (0..<Int.random(in: 0...4, using: &random)).map { _ in
                ["a", "b", "/", "ab"][Int.random(in: 0..<4, using: &random)]
            }.joined()
        }
        var table = GrantTable()
        var rights: [String: GivenRight] = [:]
        for number in 0..<300 {
            let id = "\(Int.random(in: 0..<80, using: &random))"
            if number % 3 == 2 {
                table.remove(id)
                rights[id] = nil
            } else {
                let key = ObjectKey(name() + "k")
                let right = try Self.right(
                    id,
                    Bool.random(using: &random) ? Self.prefix(name()) : .key(key),
                    actions: [[.getObject], [.listBucket], [.headBucket]][Int.random(in: 0..<3, using: &random)],
                    until: Int64.random(in: 1...5, using: &random)
                )
                table.insert(right, for: .principal(Self.bob))
                rights[id] = right
            }
            #expect(table.count == rights.count)
            for place in ["photos/" + name() + "k", "photos?" + name(), "photos", "docs/a"] {
                for action in [S3Action.getObject, .listBucket, .headBucket] {
                    let asked = try question(Self.bob, .none, ActionSet(action), place)
                    let expected = rights.values.filter { !$0.permitted(asked.actions, for: asked).isEmpty }
                    let found = table.rights(of: Self.bob, at: asked.target).filter {
                        !$0.permitted(asked.actions, for: asked).isEmpty
                    }
                    #expect(Set(found.map(\.id)) == Set(expected.map(\.id)), "\(place)")
                    // In the order in which they end.
                    #expect(found.map(\.expiresAt) == found.map(\.expiresAt).sorted(), "\(place)")
                }
            }
        }
    }
}
