import Logging
import Pipeline
import S3API
import Testing
import WireFormats

@testable import ControlPlane

@Suite("What stores say is tried again for a while, and not for ever")
struct StoreEventsTests {
    private static let message = Array(
        #"{"Records":[{"eventName":"ObjectCreated:Put","s3":{"bucket":{"name":"photos"},"object":{"key":"a"}}}]}"#.utf8
    )

    private func snapshotWithPhotos() throws -> Snapshot {
        var caller = APICaller(desk: Desk([], version: "9"))
        caller.buckets = [try photos()]
        return try caller.snapshot()
    }

    private let client = StoreClient()

    private func events(_ slots: AwaySlots = AwaySlots()) -> StoreEvents {
        let revocations = RevocationKeeper(RevocationMemory(), clock: { noon })
        let grounds = SlotGrounds(revocations, GrantMemory())
        let strays = StrayUploads(nil, logger: Logger(label: "test"))
        return StoreEvents(
            Slots(
                slots,
                client,
                grounds,
                strays,
                SlotLog(nil),
                now: { noon },
                random: { Array(repeating: 7, count: $0) }
            ) {}
        )
    }

    @Test("A message about a slot that can't be looked up comes back so often and is dropped then, counted once")
    func waits() async throws {
        let (events, snapshot) = (events(), try snapshotWithPhotos())
        for round in 1...2 {
            for number in 1...StoreEvents.mostWaits {
                let outcome = await events.take(Self.message, from: nil, under: snapshot)
                #expect(outcome == .later(tries: number))
                #expect(events.drops(outcome) == (number == StoreEvents.mostWaits))
            }
            #expect(events.counts.poisoned == UInt64(round))
        }
        #expect(events.counts.used == 0 && events.counts.ignored == 0)
        await client.close()
    }

    @Test("One that nobody understands is dropped sooner")
    func unreadable() async throws {
        let (events, snapshot) = (events(), try snapshotWithPhotos())
        for number in 1...StoreEvents.mostTries {
            let outcome = await events.take(Array("{}".utf8), from: nil, under: snapshot)
            #expect(outcome == .unreadable(tries: number))
            #expect(events.drops(outcome) == (number == StoreEvents.mostTries))
        }
        #expect(events.counts.poisoned == 1)
        await client.close()
    }

    @Test(
        "A queue that has handed one out often enough gives it up at once, whoever counted before",
        arguments: [
            (StoreEvents.Outcome.later(tries: 1), 19, false), (.later(tries: 1), 20, true),
            (.unreadable(tries: 1), 4, false),
            (.unreadable(tries: 1), 5, true), (.handled, 1000, false),
        ]
    )
    func handedOut(outcome: StoreEvents.Outcome, times: Int, drops: Bool) async {
        let events = events()
        #expect(events.drops(outcome, handedOut: times) == drops)
        #expect(events.counts.poisoned == (drops ? 1 : 0))
        await client.close()
    }

    @Test("A message that comes to something is counted anew when it fails again")
    func recovers() async throws {
        let slots = AwaySlots()
        let (events, snapshot) = (events(slots), try snapshotWithPhotos())
        #expect(await events.take(Self.message, from: nil, under: snapshot) == .later(tries: 1))
        slots.comeBack()
        #expect(await events.take(Self.message, from: nil, under: snapshot) == .handled)
        slots.goAway()
        #expect(await events.take(Self.message, from: nil, under: snapshot) == .later(tries: 1))
        #expect(events.counts.ignored == 1)
        await client.close()
    }
}
