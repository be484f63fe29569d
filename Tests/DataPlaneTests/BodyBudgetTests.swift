import Identity
import NIOCore
import Testing

@testable import DataPlane

@Suite("How much of clients' bodies is held at a time")
struct BodyBudgetTests {
    private static let alice = Breaker.Caller(.user("alice"), from: Array("192.0.2.1".utf8))
    private static let bob = Breaker.Caller(.user("bob"), from: Array("192.0.2.1".utf8))

    private static func stranger(_ number: Int) -> Breaker.Caller {
        Breaker.Caller(.anonymous, from: Array("192.0.2.\(number)".utf8))
    }

    @Test("What was taken comes back, to the byte")
    func exact() {
        let budget = BodyBudget(known: 100, strangers: 100)
        #expect(budget.take(50, for: Self.alice))
        #expect(!budget.take(1, for: Self.alice), "one caller has half")
        #expect(budget.taken == 50)
        #expect(budget.take(49, for: Self.bob))
        #expect(!budget.take(2, for: Self.bob))
        #expect(budget.take(1, for: Self.bob))
        #expect(budget.taken == 100)
        budget.giveBack(50, of: Self.alice)
        budget.giveBack(49, of: Self.bob)
        #expect(budget.taken == 1)
        budget.giveBack(1, of: Self.bob)
        #expect(budget.taken == 0)
        #expect(budget.take(50, for: Self.alice))
    }

    @Test("Strangers, however many, leave known callers their share")
    func strangers() {
        let budget = BodyBudget(known: 100, strangers: 10)
        for number in 0..<50 { _ = budget.take(5, for: Self.stranger(number)) }
        #expect(budget.taken == 10)
        #expect(!budget.take(1, for: Self.stranger(99)))
        #expect(budget.take(50, for: Self.alice) && budget.take(50, for: Self.bob))
        // And the other way round.
        budget.giveBack(5, of: Self.stranger(0))
        #expect(budget.take(5, for: Self.stranger(7)))
    }

    @Test("Names that callers choose themselves, of sessions or within a network, win nobody a second half")
    func chosenNames() {
        let budget = BodyBudget(known: 100, strangers: 100)
        let roles = ["one", "two"].map { Breaker.Caller(.role(id: "deployer", session: $0), from: []) }
        #expect(budget.take(50, for: roles[0]) && !budget.take(1, for: roles[1]))
        #expect(budget.take(50, for: Breaker.Caller(.role(id: "another", session: "one"), from: [])))
        let network = ["2001:db8::1", "2001:db8::2"].map { Breaker.Caller(.anonymous, from: Array($0.utf8)) }
        #expect(budget.take(50, for: network[0]) && !budget.take(1, for: network[1]))
        #expect(budget.take(50, for: Breaker.Caller(nil, from: Array("2001:db8:0:1::1".utf8))))
        #expect(!budget.take(1, for: Self.bob) && budget.taken == 200)
    }

    @Test("A body is waited for as long as it comes at the least rate")
    func leastRate() {
        let begun = NIODeadline.uptimeNanoseconds(0)
        var body = HeldBody(caller: Self.alice, since: begun)
        let idle = TimeAmount.seconds(60)
        #expect(body.deadline(at: begun, idle: idle) == begun + idle)
        // A byte now and then wins no time.
        body.add(1)
        #expect(body.deadline(at: begun + .seconds(59), idle: idle) < begun + idle + .seconds(1))
        // Ten seconds' worth.
        body.add(80 << 10)
        let late = body.deadline(at: begun + .seconds(59), idle: idle)
        #expect(late >= begun + idle + .seconds(10) && late < begun + idle + .seconds(11))
        // Nobody who sends fast is waited for longer than before.
        body.add(100 << 20)
        #expect(body.deadline(at: begun + .seconds(59), idle: idle) == begun + .seconds(59) + idle)
    }
}
