import Admission
import HTTP1
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("Limits answer 429, and say when to come back")
struct LimitTests {
    private static func limits(_ amount: Int64) -> RequestLimits {
        RequestLimits(requests: RateLimit(amount: amount, window: .seconds(60)))
    }

    @Test("A principal has a budget of its own, over all its requests")
    func principals() throws {
        var gate = Gate()
        gate.ownLimits = [.user("alice"): Self.limits(2)]
        let call = Call("GET", "/photos/a.txt").by(.alice)
        #expect(try gate.decide(call).outcome == .allowed)
        #expect(try gate.decide(call, at: noon + .seconds(10), from: "198.51.100.1").outcome == .allowed)
        let refused = try gate.decide(call, at: noon + .seconds(20))
        try expect(429, .tooManyRequests, refused)
        #expect(try refused.reply().code == "SlowDown")
        #expect(try refused.reply().fields.string("retry-after") == "40")
        #expect(refused.outcome == .limited)
        #expect(refused.principal == .user("alice"))
        #expect(refused.permit == nil)
        #expect(refused.failureName == "none")
        #expect(try gate.decide(Call("GET", "/photos/a.txt").by(.root)).outcome == .allowed)
        // The refused one was not counted.
        #expect(try gate.decide(call, at: noon + .seconds(60)).outcome == .allowed)
    }

    @Test("A limit is not a failed authentication", arguments: [User.alice, .root])
    func notUnauthorized(user: User) throws {
        var gate = Gate()
        gate.limits = Self.limits(1)
        let call = Call("GET", "/photos/a.txt").by(user)
        try gate.decide(call)
        #expect(try gate.decide(call).reply().status == 429)
    }

    @Test("Keys of one principal share its budget, headers and URLs too")
    func oneBudget() throws {
        var gate = Gate()
        gate.ownLimits = [.key("akfull"): Self.limits(1)]
        #expect(try gate.decide(Call("GET", "/photos/a.txt").signed()).outcome == .allowed)
        #expect(try gate.decide(Call("GET", "/photos/b.txt").presigned()).outcome == .limited)
    }

    @Test("Anonymous callers share a budget by address, IPv6 by network")
    func anonymous() throws {
        var gate = Gate()
        gate.limits = Self.limits(1)
        let call = Call("GET", "/public/a.txt")
        for (first, second, other) in [
            ("192.0.2.1", "192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"),
        ] {
            #expect(try gate.decide(call, from: first).outcome == .allowed)
            #expect(try gate.decide(call, from: second).reply().status == 429)
            #expect(try gate.decide(call, from: other).outcome == .allowed)
        }
        #expect(try gate.decide(call.by(.root), from: "192.0.2.1").outcome == .allowed)
    }

    @Test("What is denied is counted as well, and can be released")
    func deniedCounts() throws {
        var gate = Gate()
        gate.limits = Self.limits(1)
        let denied = try gate.decide(Call("GET", "/docs/a.txt").by(.alice))
        #expect(denied.outcome == .denied)
        #expect(denied.permit != nil)
        #expect(try gate.decide(Call("GET", "/photos/a.txt").by(.alice)).outcome == .limited)
    }

    @Test("So many requests at once, until one ends")
    func concurrent() throws {
        var gate = Gate()
        gate.limits = RequestLimits(concurrentRequests: 1)
        let call = Call("GET", "/photos/a.txt").by(.alice)
        let permit = try #require(try gate.decide(call).permit)
        #expect(try gate.decide(call).outcome == .limited)
        gate.limiter.release(permit)
        #expect(try gate.decide(call).outcome == .allowed)
    }

    @Test("Guessing is slowed down by address, and closes nothing else")
    func failedAuthentication() throws {
        var gate = Gate()
        let wrong = [
            Call("GET", "/photos/a.txt").with("x-api-key", "wrong"),
            Call("GET", "/photos/a.txt").signed(secret: "wrong"),
        ]
        for number in 0..<100 {
            #expect(try gate.decide(wrong[number % 2]).outcome == .unauthenticated)
        }
        // Whoever watches sees guessing go on, although nobody hears any more what was wrong.
        for (call, failure) in zip(wrong, ["unknown_api_key", "signature_mismatch"]) {
            let decision = try gate.decide(call)
            try expect(429, .tooManyRequests, decision)
            #expect(decision.outcome == .limited)
            #expect(decision.failureName == failure)
            #expect(try decision.reply().fields.string("retry-after") != nil)
        }
        #expect(try gate.decide(wrong[0], from: "192.0.2.8").reply().status == 401)
        #expect(try gate.decide(Call("GET", "/photos/a.txt").by(.alice)).outcome == .allowed)
        #expect(try gate.decide(Call("GET", "/public/a.txt")).outcome == .allowed)
        #expect(try gate.decide(wrong[0], at: noon + .seconds(61)).reply().status == 401)
    }
}
