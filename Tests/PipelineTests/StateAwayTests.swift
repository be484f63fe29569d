import Admission
import Crypto
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("What the state says is believed for a while, and then neither yes nor no")
struct StateAwayTests {
    private let grants = GrantBook()
    private let revocations = RevocationBook()
    private static let token = "S3cretTokenOf32CharactersOrSo_-x"
    /// What was seen last is good until then.
    private static let end = noon + .seconds(60)
    private var gate: Gate

    init() throws {
        gate = Gate(grants: GrantSource(book: grants, counter: Counter()), revocations: revocations)
        let (given, link) = (
            try GrantTests.right(until: noon + .seconds(600)), try GrantTests.right("l1", until: noon + .seconds(600))
        )
        grants.update { table in
            table.insert(given, for: .principal(.key("akmodels")))
            table.insert(link, for: .link(hash: Array(SHA256.hash(data: Array(Self.token.utf8)))))
        }
        grants.vouch(until: Self.end)
        revocations.vouch(until: Self.end)
        gate.sessionKeys = SessionKeyring(keys: [try #require(SessionKey(Array(repeating: 3, count: 32)))])
    }

    private static let given = Call("GET", "/photos/shared/a.txt")
    private static let link = Call("GET", "/-/l/\(token)/shared/a.txt")

    private mutating func status(_ call: Call, at now: Instant) throws -> Int {
        let decision = try gate.decide(call, at: now)
        guard decision.outcome != .allowed else { return 200 }
        return try decision.reply().status
    }

    @Test("Grants and links are 503 once it is too old, and who is in the file goes on; all of it by itself")
    mutating func ages() throws {
        let late = Self.end + .milliseconds(1)
        for (now, expected) in [(Self.end, 200), (late, 503), (noon + .seconds(3600), 503)] {
            #expect(
                try status(Self.given.signed(by: .models, at: now), at: now)
                    == (now > noon + .seconds(600) ? 403 : expected)
            )
            #expect(try status(Self.link, at: now) == expected)
            // By what the file says.
            #expect(try status(Call("GET", "/photos/models/a").signed(by: .models, at: now), at: now) == 200)
            #expect(try status(Self.given.by(.alice), at: now) == 200)
            // Nothing of the state would change that.
            #expect(try status(Call("GET", "/docs/a").signed(by: .models, at: now), at: now) == 403)
        }
        let decision = try gate.decide(Self.given.signed(by: .models, at: late), at: late)
        #expect(decision.reason == "state_away")
        let reply = try decision.reply()
        #expect(text(reply.body).contains("ServiceUnavailable") && reply.fields.string("retry-after") == "5")
        // One of them is not enough.
        grants.vouch(until: late + .seconds(60))
        #expect(try status(Self.link, at: late) == 503)
        revocations.vouch(until: late + .seconds(60))
        #expect(try status(Self.link, at: late) == 200)
        #expect(try status(Self.given.signed(by: .models, at: late), at: late) == 200)
    }

    @Test("Whoever saw less than somebody else takes nothing back")
    mutating func older() throws {
        grants.vouch(until: noon - .seconds(60))
        #expect(try status(Self.link, at: Self.end) == 200)
    }

    @Test("A batch that rests on a grant is answered whole")
    mutating func batch() throws {
        let right = try GrantTests.right("d", .prefix([]), [.deleteObject], until: noon + .seconds(600))
        grants.update { $0.insert(right, for: .principal(.key("akmodels"))) }
        let body = "<Delete><Object><Key>shared/a</Key></Object></Delete>"
        for (now, status) in [(noon, 200), (Self.end + .seconds(1), 503)] {
            let call = Call("POST", "/photos?delete", length: Int64(body.utf8.count))
                .signed(by: .models, at: now)
            let plan = try gate.decide(call, at: now).plan.given(body: body)
            if status == 503 { #expect(try plan.reply().status == 503) } else { _ = try plan.forward() }
        }
    }
}
