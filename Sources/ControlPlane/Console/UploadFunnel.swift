import Valet

/// How far upload slots came, as rows for the console: each state that was reached and why, beside what was issued.
struct UploadFunnel {
    private let funnel: SlotFunnel

    init(_ funnel: SlotFunnel) { self.funnel = funnel }

    var values: [String: Any] {
        ["steps": steps, "open": String(funnel.open)]
    }

    private var steps: [[String: Any]] {
        let issued = max(1, funnel.reached[SlotFunnel.Step(.issued)] ?? 0)
        return UploadSlot.State.allCases.flatMap { state in
            let reached = funnel.reached.filter { $0.key.state == state && $0.value > 0 }
                .sorted { ($0.key.cause?.rawValue ?? "") < ($1.key.cause?.rawValue ?? "") }
            // What never happened is said as well.
            let rows = reached.isEmpty ? [(SlotFunnel.Step(state), 0)] : reached.map { ($0.key, $0.value) }
            return rows.map { step, count in
                var row: [String: Any] = [
                    "state": state.rawValue,
                    "count": String(count),
                    "share": String(min(100, count * 100 / issued)),
                    "class": Self.style(of: state),
                ]
                if let cause = step.cause { row["cause"] = cause.rawValue }
                return row
            }
        }
    }

    private static func style(of state: UploadSlot.State) -> String {
        switch state {
        case .issued, .started: "plain"
        case .completed: "good"
        case .rejected: "bad"
        case .expired, .aborted: "soft"
        }
    }

    static let section = """
        {{#uploads}}<h2>Uploads</h2><p>{{open}} open. Counted since the state was made.</p>
        <table class="funnel"><thead><tr><th scope="col">State</th><th scope="col">Cause</th>
        <th scope="col" class="n">Slots</th><th scope="col">Of those issued</th></tr></thead><tbody>{{#steps}}<tr><td>{{state}}</td>
        <td>{{cause}}</td><td class="n">{{count}}</td><td><svg class="bar {{class}}" viewBox="0 0 100 8"
        preserveAspectRatio="none" role="img" aria-label="{{share}} %"><rect width="{{share}}" height="8"/></svg></td></tr>{{/steps}}
        </tbody></table>{{/uploads}}
        """
}
