import S3API
import Testing
import Valet
import WireFormats

@Suite("A store keeps grants")
struct GrantStoreSuite {
    private func grant(
        _ id: String,
        subject: Grant.Subject = .principal("user:bob"),
        bucket name: String = "photos",
        reach: Grant.Reach = .key(ObjectKey("a")),
        grantor: String = "user:alice",
        expiresAt: Instant = noon + .seconds(3600),
        maxUses: Int? = nil,
        source: CIDR? = nil
    ) throws -> Grant {
        Grant(
            id: id,
            subject: subject,
            bucket: try bucket(name),
            reach: reach,
            actions: ActionSet([.getObject, .headObject]),
            grantor: grantor,
            claims: ["sub": "al\"ice", "org": ""],
            note: "for 'Bob'",
            issuedAt: noon,
            expiresAt: expiresAt,
            maxUses: maxUses,
            source: source
        )
    }

    private let hash = [UInt8](repeating: 0xAB, count: 32)

    @Test("A grant comes back as it was written, by its id and by its link", arguments: StateKind.allCases)
    func roundTrip(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let plain = try grant("1")
            let range = try #require(CIDR("2001:db8::/32"))
            let link = try grant(
                "2",
                subject: .link(hash: hash),
                reach: .prefix([0xFF, 0x2F]),
                maxUses: 3,
                source: range
            )
            #expect(try await state.insert(plain, for: nil) == .inserted)
            #expect(try await state.insert(link, for: nil) == .inserted)
            #expect(try await state.insert(link, for: nil) == .inserted)
            #expect(try await state.grant("1") == GrantRecord(grant: plain, uses: 0))
            #expect(try await state.grant(ofLink: hash) == GrantRecord(grant: link, uses: 0))
            #expect(try await state.grant(ofLink: []) == nil)
            #expect(try await state.grant("3") == nil)
        }
    }

    @Test("A change that fails takes none with it that shares its commit", arguments: StateKind.allCases)
    func isolation(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let hash = hash
            // Two links of one token can't be; who comes first is not said.
            let inserted = await withTaskGroup(of: Bool.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        do {
                            let subject: Grant.Subject = number < 10 ? .link(hash: hash) : .principal("user:bob")
                            return try await state.insert(try grant("\(number)", subject: subject), for: nil)
                                == .inserted
                        } catch {
                            return false
                        }
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            #expect(inserted == 11)
            let all = try await state.grants(bucket: nil, subject: nil, after: nil, limit: 100)
            #expect(all.count { $0.grant.subject == .principal("user:bob") } == 10)
            #expect(all.count { $0.grant.subject == .link(hash: hash) } == 1)
        }
    }

    @Test("There are no more grants in force than may be, however many ask at once", arguments: StateKind.allCases)
    func limits(_ kind: StateKind) async throws {
        let few = [
            GrantLimits(together: 5, ofOneGiver: 50, forOneKey: 50, prefixes: 50),
            GrantLimits(together: 50, ofOneGiver: 5, forOneKey: 50, prefixes: 50),
            GrantLimits(together: 50, ofOneGiver: 50, forOneKey: 5, prefixes: 50),
            GrantLimits(together: 50, ofOneGiver: 50, forOneKey: 50, prefixes: 5),
        ]
        for (number, limits) in few.enumerated() {
            try await kind.withState { state in
                // Those that ended leave room, though they are not forgotten; so do those that were taken back.
                func reach(_ name: Int) -> Grant.Reach {
                    number == 3 ? .prefix(Array("\(name)/".utf8)) : .key(ObjectKey("a"))
                }
                for old in 0..<9 {
                    try await state.insert(try grant("e\(old)", reach: reach(old), expiresAt: noon), for: nil)
                    try await state.insert(try grant("r\(old)", reach: reach(old)), for: nil)
                    _ = try await state.revoke("r\(old)", at: noon)
                }
                let outcomes = try await withThrowingTaskGroup(of: GrantInsertion.self) { group in
                    for id in 0..<20 {
                        let one = try grant("\(id)", reach: reach(id), expiresAt: noon + .nanoseconds(1))
                        group.addTask { try await state.insert(one, within: limits, for: nil) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(outcomes.count { $0 == .inserted } == 5)
                #expect(outcomes.count { $0 == .tooMany } == 15)
                let all = try await state.grants(bucket: nil, subject: nil, after: nil, limit: 100)
                let kept = try #require(all.first { $0.grant.id.utf8.allSatisfy { $0 < 0x3A } }).grant
                // The same one again is none more.
                #expect(try await state.insert(kept, within: limits, for: nil) == .inserted)
                #expect(try await !state.hasRoom(for: try grant("x", reach: reach(99)), within: limits))
                let other = Grant.Reach.key(ObjectKey("b"))
                #expect(try await state.hasRoom(for: try grant("x", reach: other), within: limits) == (number > 1))
                let carol = try grant("x", subject: .principal("user:carol"), reach: reach(99))
                #expect(try await state.hasRoom(for: carol, within: limits) == (number > 1))
                let docs = try grant("x", bucket: "docs", reach: reach(99))
                #expect(try await state.hasRoom(for: docs, within: limits) == (number > 1))
                let link = try grant("x", subject: .link(hash: hash), reach: reach(99))
                #expect(try await state.hasRoom(for: link, within: limits) == (number > 1))
                let dans = try grant("x", reach: reach(99), grantor: "user:dan")
                #expect(try await state.hasRoom(for: dans, within: limits) == (number > 0))
                _ = try await state.revoke(kept.id, at: noon)
                #expect(try await state.insert(try grant("y", reach: reach(99)), within: limits, for: nil) == .inserted)
            }
        }
    }

    @Test("Grants are listed page by page, by bucket and by subject", arguments: StateKind.allCases)
    func listing(_ kind: StateKind) async throws {
        try await kind.withState { state in
            for (id, name) in [("c", "photos"), ("a", "photos"), ("b", "docs"), ("d", "photos")] {
                _ = try await state.insert(try grant(id, bucket: name), for: nil)
            }
            _ = try await state.insert(try grant("e", subject: .link(hash: hash)), for: nil)
            func ids(_ bucket: BucketName?, _ subject: String?, _ after: String?, _ limit: Int) async throws -> [String]
            {
                try await state.grants(bucket: bucket, subject: subject, after: after, limit: limit).map(\.grant.id)
            }
            let photos = try bucket()
            #expect(try await ids(nil, nil, nil, 3) == ["a", "b", "c"])
            #expect(try await ids(nil, nil, "c", 3) == ["d", "e"])
            #expect(try await ids(photos, "user:bob", nil, 10) == ["a", "c", "d"])
            #expect(try await ids(nil, "link", nil, 10) == ["e"])
            #expect(try await ids(nil, "user:eve", nil, 10).isEmpty)
        }
    }

    @Test("A grant is taken back once, and is no longer used", arguments: StateKind.allCases)
    func revocation(_ kind: StateKind) async throws {
        try await kind.withState { state in
            let one = try grant("1")
            _ = try await state.insert(one, for: nil)
            #expect(try await state.use("1", .fresh, from: nil, at: noon) == .counted(uses: 1))
            let revoked = try #require(try await state.revoke("1", at: noon + .seconds(5)))
            #expect(revoked.grant == one.revoked(at: noon + .seconds(5)) && revoked.uses == 1)
            #expect(try await state.revoke("1", at: noon + .seconds(9)) == revoked)
            #expect(try await state.use("1", .fresh, from: nil, at: noon) == .refused)
            #expect(try await state.use("1", .continuing, from: nil, at: noon) == .refused)
            #expect(try await state.revoke("2", at: noon) == nil)
        }
    }

    @Test("A grant is used as often as allowed, however many ask at once", arguments: StateKind.allCases)
    func uses(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.insert(try grant("1", maxUses: 7), for: nil)
            let outcomes = try await withThrowingTaskGroup(of: UseOutcome.self) { group in
                for _ in 0..<20 { group.addTask { try await state.use("1", .fresh, from: nil, at: noon) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(Set(outcomes) == Set((1...7).map { UseOutcome.counted(uses: $0) } + [.refused]))
            #expect(outcomes.count { $0 == .refused } == 13)
            let record = try #require(try await state.grant("1"))
            #expect(record.uses == 7 && record.lastUsedAt == noon)
        }
    }

    @Test("An address goes on for ten minutes with a use it took; another one does not", arguments: StateKind.allCases)
    func continuing(_ kind: StateKind) async throws {
        let mine = try #require(IPAddress("192.0.2.1"))
        let other = try #require(IPAddress("192.0.2.2"))
        try await kind.withState { state in
            func use(_ kind: UseKind, _ address: IPAddress?, _ seconds: Int64) async throws -> UseOutcome {
                try await state.use("1", kind, from: address, at: noon + .seconds(seconds))
            }
            _ = try await state.insert(try grant("1", maxUses: 2), for: nil)
            #expect(try await use(.fresh, mine, 0) == .counted(uses: 1))
            try await state.keep("1", from: mine, at: noon)
            #expect(try await use(.continuing, mine, 599) == .continued)
            // A range by somebody who took none is a use.
            #expect(try await use(.continuing, other, 1) == .counted(uses: 2))
            try await state.keep("1", from: other, at: noon + .seconds(1))
            #expect(try await use(.continuing, other, 2) == .continued)
            #expect(try await use(.continuing, mine, 599) == .continued)
            #expect(try await use(.continuing, mine, 600) == .refused)
            #expect(try await use(.continuing, nil, 3) == .refused)
            #expect(try await use(.fresh, mine, 3) == .refused)
        }
    }

    @Test(
        "While a use may still come to nothing, its address reads nothing further on its account",
        arguments: StateKind.allCases
    )
    func useUnderWay(_ kind: StateKind) async throws {
        let mine = try #require(IPAddress("192.0.2.1"))
        try await kind.withState { state in
            _ = try await state.insert(try grant("1", maxUses: 1), for: nil)
            for _ in 0..<2 {
                #expect(try await state.use("1", .fresh, from: mine, at: noon) == .counted(uses: 1))
                #expect(try await state.use("1", .continuing, from: mine, at: noon) == .refused)
                #expect(try await state.use("1", .looking, from: mine, at: noon) == .refused)
                try await state.giveBack("1")
            }
        }
    }

    @Test(
        "Looking takes nothing and needs something to be left; what came to nothing is given back",
        arguments: StateKind.allCases
    )
    func lookingAndGivingBack(_ kind: StateKind) async throws {
        let mine = try #require(IPAddress("192.0.2.1"))
        try await kind.withState { state in
            _ = try await state.insert(try grant("1", maxUses: 1), for: nil)
            #expect(try await state.use("1", .looking, from: nil, at: noon) == .continued)
            #expect(try await state.use("1", .fresh, from: mine, at: noon) == .counted(uses: 1))
            #expect(try await state.use("1", .looking, from: nil, at: noon) == .refused)
            #expect(try await state.use("1", .looking, from: mine, at: noon) == .refused)
            try await state.giveBack("1")
            try await state.giveBack("1")
            #expect(try await state.grant("1")?.uses == 0)
            #expect(try await state.use("1", .fresh, from: mine, at: noon) == .counted(uses: 1))
            try await state.keep("1", from: mine, at: noon)
            try await state.keep("2", from: mine, at: noon)
            #expect(try await state.use("1", .looking, from: mine, at: noon + .seconds(1)) == .continued)
            #expect(try await state.use("1", .looking, from: nil, at: noon) == .refused)
        }
    }

    @Test("A grant without a limit counts beginnings and lets the rest pass", arguments: StateKind.allCases)
    func unlimited(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.insert(try grant("1"), for: nil)
            #expect(try await state.use("1", .fresh, from: nil, at: noon) == .counted(uses: 1))
            #expect(try await state.use("1", .continuing, from: nil, at: noon) == .continued)
            #expect(try await state.use("1", .fresh, from: nil, at: noon) == .counted(uses: 2))
            #expect(try await state.use("1", .fresh, from: nil, at: noon + .seconds(3600)) == .refused)
            #expect(try await state.use("2", .fresh, from: nil, at: noon) == .refused)
        }
    }

    @Test("Changes are told in their order, none twice and none left out", arguments: StateKind.allCases)
    func changes(_ kind: StateKind) async throws {
        try await kind.withState { state in
            for id in ["1", "2", "3"] { _ = try await state.insert(try grant(id), for: nil) }
            var (changed, cursor) = try await state.changes(since: 0, limit: 2)
            #expect(changed.map(\.grant.id) == ["1", "2"])
            (changed, cursor) = try await state.changes(since: cursor, limit: 2)
            #expect(changed.map(\.grant.id) == ["3"])
            #expect(try await state.changes(since: cursor, limit: 2).cursor == cursor)
            // Using one changes nothing that requests are decided by.
            _ = try await state.use("1", .fresh, from: nil, at: noon)
            _ = try await state.revoke("2", at: noon)
            (changed, cursor) = try await state.changes(since: cursor, limit: 9)
            #expect(changed.map(\.grant.id) == ["2"] && changed.first?.grant.revokedAt == noon)
            // Though the latest is forgotten, the next one is behind every cursor.
            #expect(try await state.forget(expiredBefore: noon + .seconds(9999), limit: 100) == 3)
            _ = try await state.insert(try grant("4"), for: nil)
            #expect(try await state.changes(since: cursor, limit: 9).changed.map(\.grant.id) == ["4"])
        }
    }

    @Test("What was taken back is forgotten though it would have lasted for years", arguments: StateKind.allCases)
    func forgetting(_ kind: StateKind) async throws {
        try await kind.withState { state in
            for id in ["1", "2", "3"] {
                _ = try await state.insert(try grant(id, expiresAt: noon + .seconds(99_999_999)), for: nil)
            }
            _ = try await state.revoke("1", at: noon)
            _ = try await state.revoke("2", at: noon + .seconds(60))
            #expect(try await state.forget(expiredBefore: noon + .seconds(60), limit: 9) == 1)
            #expect(try await state.grant("1") == nil)
            #expect(try await state.grant("2") != nil)
            #expect(try await state.forget(expiredBefore: noon + .seconds(61), limit: 9) == 1)
            #expect(try await state.grant("3") != nil)
        }
    }

    @Test("Of many URLs that rest on one grant the longest lasting are kept", arguments: StateKind.allCases)
    func manyURLs(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.insert(try grant("1"), for: nil)
            let count = OutstandingURL.most + 3
            // The longest lasting first.
            for number in 0..<count {
                let url = OutstandingURL(
                    grant: "1",
                    method: "GET",
                    bucket: try bucket(),
                    key: ObjectKey("a"),
                    expiresAt: noon + .seconds(Int64(count - number))
                )
                try await state.remember(url)
            }
            let kept = try await state.outstanding("1", at: noon, limit: 9999)
            #expect(kept.count == OutstandingURL.most)
            #expect(kept.first?.expiresAt == noon + .seconds(Int64(count)))
            #expect(kept.last?.expiresAt == noon + .seconds(4))
        }
    }

    @Test("Signed URLs of stores are remembered with their grant until they end", arguments: StateKind.allCases)
    func outstanding(_ kind: StateKind) async throws {
        try await kind.withState { state in
            _ = try await state.insert(try grant("1"), for: nil)
            let urls = try [60, 30, 90].map { seconds in
                OutstandingURL(
                    grant: "1",
                    method: "GET",
                    bucket: try bucket(),
                    key: ObjectKey("a"),
                    expiresAt: noon + .seconds(Int64(seconds))
                )
            }
            for url in urls { try await state.remember(url) }
            let unknown = OutstandingURL(
                grant: "2",
                method: "GET",
                bucket: try bucket(),
                key: ObjectKey("a"),
                expiresAt: noon + .seconds(9)
            )
            try await state.remember(unknown)
            #expect(try await state.outstanding("1", at: noon + .seconds(30), limit: 9) == [urls[2], urls[0]])
            #expect(try await state.outstanding("1", at: noon, limit: 1) == [urls[2]])
            #expect(try await state.outstanding("2", at: noon, limit: 9).isEmpty)
            #expect(try await state.forget(expiredBefore: noon + .seconds(61), limit: 9) == 0)
            #expect(try await state.outstanding("1", at: noon, limit: 9) == [urls[2]])
        }
    }
}
