package import Valet
package import WireFormats

/// What became of upload slots, and of the events about them that could not be delivered.
package struct UploadReport: Sendable {
    private let state: any SlotStore & Outbox

    private static let deadLetters = 100

    package init(_ state: any SlotStore & Outbox) { self.state = state }

    /// Nil where the state can't be asked.
    package var funnel: SlotFunnel? {
        get async { try? await state.funnel() }
    }

    package var json: StrictJSON {
        get async {
            let funnel = await funnel
            let backlog = try? await state.backlog()
            let dead = (try? await state.deadLetters(limit: Self.deadLetters)) ?? []
            let reached = (funnel?.reached ?? [:]).sorted {
                ($0.key.state.rawValue, $0.key.cause?.rawValue ?? "")
                    < ($1.key.state.rawValue, $1.key.cause?.rawValue ?? "")
            }
            return .object(of: [
                ("open", funnel.map { .integer(Int64($0.open)) }),
                (
                    "funnel",
                    .array(
                        reached.map { step, count in
                            .object(of: [
                                ("state", .string(step.state.rawValue)),
                                ("cause", step.cause.map { .string($0.rawValue) }),
                                ("count", .integer(Int64(count))),
                            ])
                        }
                    )
                ),
                (
                    "outbox",
                    backlog.map {
                        .object([("waiting", .integer(Int64($0.waiting))), ("dead", .integer(Int64($0.dead)))])
                    }
                ),
                ("dead_letters", .array(dead.map(Self.letter))),
            ])
        }
    }

    private static func letter(_ entry: OutboxEntry) -> StrictJSON {
        .object([
            ("event", .string(entry.event.id)), ("type", .string(entry.event.type)),
            ("upload", .string(entry.event.slot.id)), ("target", .string(entry.place)),
            ("attempts", .integer(Int64(entry.attempts))), ("last_failure", .string(entry.lastFailure)),
        ])
    }
}
