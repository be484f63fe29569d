import Admission
import Identity
import Pipeline
import S3API
import Synchronization
import Testing
import WireFormats

@Suite("Grants: what somebody else may do, as long as the giver may, and not on to a third")
struct GrantTests {
    private let book = GrantBook()
    private let counter = Counter()
    private let revocations = RevocationBook()
    private var gate: Gate

    /// Watcher may read photos and docs and nothing else; alice gives what she has in photos.
    private static let watcher = GrantTable.Holder.principal(.user("watcher"))

    init() { gate = Gate(grants: GrantSource(book: book, counter: counter), revocations: revocations) }

    static func right(
        _ id: String = "g1",
        bucket: String = "photos",
        _ reach: GivenRight.Reach = .prefix(Array("shared/".utf8)),
        _ actions: [S3Action] = [.getObject],
        from giver: Giver = Giver(.user("alice")),
        issued: Instant = noon,
        until end: Instant = noon + .seconds(60),
        uses: GivenRight.Uses = .unlimited,
        source: CIDR? = nil
    ) throws -> GivenRight {
        GivenRight(
            id: id,
            bucket: try #require(BucketName(validating: bucket)),
            reach: reach,
            actions: ActionSet(actions),
            giver: giver,
            issuedAt: issued,
            expiresAt: end,
            uses: uses,
            source: source
        )
    }

    /// A key that may do nothing in photos but below models/.
    private static let models = GrantTable.Holder.principal(.key("akmodels"))
    private static let read = Call("GET", "/photos/shared/a.txt")

    private mutating func outcome(_ call: Call, at now: Instant = noon, from peer: String = "192.0.2.7") throws
        -> String
    {
        let decision = try gate.decide(call.signed(by: .models, at: now), at: now, from: peer)
        return decision.outcome == .allowed ? decision.reason : "\(decision.outcome)"
    }

    @Test("A grant permits what it names, where it names it, and nothing beside it")
    mutating func permits() throws {
        #expect(try outcome(Self.read) == "denied")
        let right = try Self.right()
        book.update { $0.insert(right, for: Self.models) }
        #expect(try outcome(Self.read) == "grant:g1")
        #expect(try outcome(Call("HEAD", "/photos/shared/a.txt")) == "grant:g1")
        for (method, path) in [
            ("GET", "/photos/shared"), ("GET", "/photos/sharedx"), ("GET", "/photos/other"),
            ("GET", "/docs/shared/a.txt"), ("PUT", "/photos/shared/a.txt"),
            ("DELETE", "/photos/shared/a.txt"), ("GET", "/photos/shared/a.txt?acl"),
            ("GET", "/photos/shared/a.txt?versionId=1"), ("GET", "/photos?prefix=shared%2F"),
        ] {
            #expect(try outcome(Call(method, path, length: method == "PUT" ? 0 : nil)) == "denied", "\(method) \(path)")
        }
        #expect(try gate.decide(Self.read.by(.watcher)).reason == "role:readonly")
    }

    @Test("A grant for one key is for no other, and one to list is for its prefix")
    mutating func reach() throws {
        let one = try Self.right("one", .key(ObjectKey("shared")))
        let list = try Self.right("list", .prefix(Array("shared/".utf8)), [.listBucket])
        book.update {
            $0.insert(one, for: Self.models)
            $0.insert(list, for: Self.models)
        }
        #expect(try outcome(Call("GET", "/photos/shared")) == "grant:one")
        #expect(try outcome(Self.read) == "denied")
        #expect(try outcome(Call("GET", "/photos?prefix=shared%2Fx")) == "grant:list")
        #expect(try outcome(Call("GET", "/photos?prefix=shar")) == "denied")
        #expect(try outcome(Call("GET", "/photos")) == "denied")
    }

    @Test("It ends when it expires and when it is taken back, for the next request")
    mutating func ends() throws {
        let right = try Self.right()
        book.update { $0.insert(right, for: Self.models) }
        #expect(try outcome(Self.read, at: noon + .seconds(59)) == "grant:g1")
        #expect(try outcome(Self.read, at: noon + .seconds(60)) == "denied")
        book.update { $0.remove("g1") }
        #expect(try outcome(Self.read) == "denied")
    }

    @Test("A source range without a trustworthy address of the caller denies")
    mutating func source() throws {
        let right = try Self.right(source: CIDR("192.0.2.0/24"))
        book.update { $0.insert(right, for: Self.models) }
        #expect(try outcome(Self.read) == "grant:g1")
        #expect(try outcome(Self.read, from: "198.51.100.1") == "denied")
        #expect(try outcome(Self.read, from: "no address") == "denied")
    }

    @Test("What the giver may do is asked at every use", arguments: GiverCase.allCases)
    mutating func giver(_ giver: GiverCase) throws {
        let right = try Self.right(from: giver.giver)
        book.update { $0.insert(right, for: Self.models) }
        gate.policies = try giver.policies()
        #expect(try outcome(Self.read) == (giver.mayGive ? "grant:g1" : "denied"))
    }

    enum GiverCase: CaseIterable {
        case user, stranger, readonly, key, disabledKey, deniedByPolicy, token, tokenOfAnother

        var giver: Giver {
            switch self {
            case .user, .deniedByPolicy: Giver(.user("alice"))
            case .stranger: Giver(.user("nobody"))
            case .readonly: Giver(.user("watcher"))
            case .key: Giver(.key("akfull"))
            case .disabledKey: Giver(.key("akdisabled"))
            case .token: Giver(.identityProvider(name: "auth", subject: "x"), claims: ["sub": "photos"])
            case .tokenOfAnother: Giver(.identityProvider(name: "auth", subject: "x"), claims: ["sub": "docs"])
            }
        }

        /// The scopes of keys and tokens in these tests name no `share`.
        var mayGive: Bool { self == .user }

        func policies() throws -> PolicySet {
            guard self == .deniedByPolicy else { return PolicySet() }
            let document =
                #"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:GetObject","Resource":"*"}]}"#
            return PolicySet([
                PolicySet.Entry(
                    name: "no",
                    appliesTo: [try PrincipalPattern(parsing: "user:alice")],
                    document: try PolicyDocument(parsing: document.utf8)
                )
            ])
        }
    }

    @Test(
        "With everything that was issued to somebody ends what they gave; a block ends what they gave later too",
        arguments: [false, true]
    )
    mutating func giverIsRevoked(isBlocked: Bool) throws {
        let (first, later) = (try Self.right(), try Self.right("later", issued: noon + .seconds(2)))
        book.update { $0.insert(first, for: Self.models) }
        revocations.update { $0.end(.principal(.user("root")), issuedUpTo: noon, isBlocked: isBlocked) }
        #expect(try outcome(Self.read) == "grant:g1")
        revocations.update { $0.end(.principal(.user("alice")), issuedUpTo: noon, isBlocked: isBlocked) }
        #expect(try outcome(Self.read) == "denied")
        book.update { $0.insert(later, for: Self.models) }
        #expect(try outcome(Self.read) == (isBlocked ? "denied" : "grant:later"))
        // Their listing of buckets shows none of it either.
        let list = try Self.right("list", .prefix([]), [.listBucket])
        book.update { $0.insert(list, for: Self.models) }
        #expect(try outcome(Call("GET", "/photos")) == "denied")
    }

    @Test("Who was given something can't give it on, even where they may share")
    mutating func givenOn() throws {
        let first = try Self.right("first", .prefix([]), [.putObject])
        let second = try Self.right("second", .prefix([]), [.putObject], from: Giver(.key("akreader")))
        book.update {
            $0.insert(first, for: .principal(.key("akreader")))
            $0.insert(second, for: Self.models)
        }
        gate.policies = try .sharing(by: "key:akreader")
        let write = Call("PUT", "/photos/shared/a.txt", length: 0)
        #expect(try gate.decide(write.signed(by: .reader)).reason == "grant:first")
        #expect(try outcome(write) == "denied")
        // What is the giver's own goes on.
        let read = try Self.right("third", .prefix([]), from: Giver(.key("akreader")))
        book.update { $0.insert(read, for: Self.models) }
        #expect(try outcome(Self.read) == "grant:third")
    }

    @Test("A readonly user writes nothing, whatever they were given")
    mutating func ceiling() throws {
        let right = try Self.right("w", .prefix([]), [.putObject])
        book.update { $0.insert(right, for: Self.watcher) }
        let decision = try gate.decide(Call("PUT", "/photos/shared/a", length: 0).by(.watcher))
        #expect(decision.reason == "readonly:put_object")
    }

    @Test("A use is taken before anything is carried, and given back where the store gives nothing")
    mutating func counted() async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = 1 }
        do {
            let forward = try await settled(Self.read).forward()
            #expect(counter.left.withLock { $0 } == 0)
            _ = forward.given(404)
            #expect(counter.kept.withLock { $0 } == 0)
        }
        #expect(counter.left.withLock { $0 } == 1)
        do {
            let forward = try await settled(Self.read).forward()
            _ = forward.given(200)
            #expect(counter.kept.withLock { $0 } == 1)
        }
        #expect(counter.left.withLock { $0 } == 0)
        let decision = try await settled(Self.read)
        #expect(decision.outcome == .denied)
        try expect(403, .accessDenied, decision)
    }

    @Test("A use that can't be counted is 503, not allowed")
    mutating func uncounted() async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = nil }
        try expect(503, .serviceUnavailable, try await settled(Self.read))
    }

    @Test(
        "Reading from the beginning is a use, a later range goes on, and looking at the head is free",
        arguments: [
            ("GET", nil, UseOfGrant.fresh), ("GET", "bytes=0-9", .fresh), ("GET", "bytes=00-", .fresh),
            ("GET", "bytes=-5", .fresh), ("GET", "bytes=5-9,0-1", .fresh), ("GET", "items=5-", .fresh),
            ("GET", "bytes=x-", .fresh), ("GET", "bytes=5-", .continuing), ("GET", "bytes=10-20", .continuing),
            ("HEAD", nil, .looking),
        ]
    )
    mutating func kinds(method: String, range: String?, kind: UseOfGrant) async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = 9 }
        let call = Call(method, "/photos/shared/a.txt", range.map { [("range", $0)] } ?? [])
        _ = try await settled(call)
        #expect(counter.kinds.withLock { $0 } == [kind])
    }

    @Test(
        "A grant for one use is not read again and again from behind its first byte",
        arguments: [
            ("bytes=1-", "", "bytes 1-9/10"), ("bytes=-9", "", "bytes 1-9/10"), ("bytes=5-9,0-1", "", nil),
            (nil, "?partNumber=2", "bytes 5-9/10"),
        ] as [(String?, String, String?)]
    )
    mutating func readFromBehind(range: String?, query: String, given: String?) async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = 1 }
        let call = Call("GET", "/photos/shared/a.txt" + query, range.map { [("range", $0)] } ?? [])
        do {
            let forward = try await settled(call).forward()
            guard case .stream = forward.given(206, given.map { [("content-range", $0)] } ?? []) else {
                Issue.record("it was not carried")
                return
            }
        }
        #expect(counter.left.withLock { $0 } == 0)
        #expect(try await settled(call).outcome == .denied)
    }

    @Test("What gives nothing of the object takes no use", arguments: [304, 403, 404, 412, 416, 500, 503])
    mutating func nothingGiven(status: Int) async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = 1 }
        do { _ = try await settled(Call("GET", "/photos/shared/a.txt")).forward().given(status) }
        #expect(counter.left.withLock { $0 } == 1)
    }

    @Test("Parts behind the first go on with a use, and are uses of their own where none went before")
    mutating func laterParts() async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = 9 }
        for query in ["?partNumber=1", "?partNumber=2", "?partNumber=10000"] {
            _ = try await settled(Call("GET", "/photos/shared/a.txt" + query))
        }
        #expect(counter.kinds.withLock { $0 } == [.fresh, .continuing, .continuing])
    }

    @Test("A range that was to go on and is answered with the beginning is not carried")
    mutating func rangeIgnored() async throws {
        let right = try Self.right(uses: .counted)
        book.update { $0.insert(right, for: Self.models) }
        counter.left.withLock { $0 = 9 }
        counter.isInUse.withLock { $0 = true }
        let forward = try await settled(Call("GET", "/photos/shared/a.txt", [("range", "bytes=5-")])).forward()
        guard case .reply(let reply) = forward.given(200) else {
            Issue.record("it was carried")
            return
        }
        #expect(reply.status == 403)
        guard case .stream = forward.given(206, [("content-range", "bytes 5-9/10")]) else {
            Issue.record("it was not carried")
            return
        }
    }

    /// The decision once everything was found out.
    private mutating func settled(_ call: Call) async throws -> Decision {
        var findings = Findings()
        while true {
            let decision = try gate.decide(call.signed(by: .models), knowing: findings)
            guard case .wait(let make) = decision.plan else { return decision }
            #expect(!decision.isFinal)
            guard case .reconsider(let found) = await make() else { return decision }
            findings = found
        }
    }
}

extension PolicySet {
    fileprivate static func sharing(by principal: String) throws -> PolicySet {
        let document =
            #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"gatehouse:Share","Resource":"*"}]}"#
        return PolicySet([
            PolicySet.Entry(
                name: "sharing",
                appliesTo: [try PrincipalPattern(parsing: principal)],
                document: try PolicyDocument(parsing: document.utf8)
            )
        ])
    }
}

/// Counts down in memory; nil: nobody can count.
final class Counter: UseCounter {
    let left = Mutex<Int?>(0)
    let kinds = Mutex<[UseOfGrant]>([])
    /// Whether somebody's use went before.
    let isInUse = Mutex(false)

    func take(_ grant: String, _ kind: UseOfGrant, from address: IPAddress?, at now: Instant) async -> TakenUse {
        kinds.withLock { $0.append(kind) }
        return left.withLock { left in
            guard let count = left else { return .unavailable(reason: "nobody is there") }
            if kind == .looking || kind == .continuing && isInUse.withLock({ $0 }) { return .free }
            guard count > 0 else { return .refused }
            left = count - 1
            return .counted
        }
    }

    let remembered = Mutex<[URLOnGrant]>([])

    func remember(_ url: URLOnGrant) async -> Bool {
        remembered.withLock { $0.append(url) }
        return left.withLock { $0 != nil }
    }

    let kept = Mutex(0)

    func keep(_ grant: String, from address: IPAddress, at now: Instant) { kept.withLock { $0 += 1 } }

    func giveBack(_ grant: String) { left.withLock { $0 = $0.map { $0 + 1 } } }
}
