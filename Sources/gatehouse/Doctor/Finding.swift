import Settings

/// What came of one question to a store, or about one.
struct Finding: Sendable {
    enum Verdict: String, Sendable {
        case ok
        /// Good to know; nothing is wrong.
        case note
        case failed
        /// It could not be asked, for what failed before.
        case skipped
    }

    let check: String
    let verdict: Verdict
    let detail: String

    init(_ check: String, _ verdict: Verdict, _ detail: String) {
        self.check = check
        self.verdict = verdict
        self.detail = detail
    }

    var line: String {
        "  " + Self.padded(verdict.rawValue, to: 8) + Self.padded(check, to: 20) + detail
    }

    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(width - text.count, 1))
    }

    var json: JSONValue {
        .object([("check", .text(check)), ("verdict", .text(verdict.rawValue)), ("detail", .text(detail))])
    }
}

/// What was found about one bucket, or about what all of them rest on.
struct Examination: Sendable {
    let subject: String
    let findings: [Finding]
    /// The rule that the store's bucket needs where pages of other origins use URLs that are signed for it.
    var crossOriginRule: JSONValue?

    var isFine: Bool { findings.allSatisfy { $0.verdict == .ok || $0.verdict == .note } }

    var text: String {
        var lines = [subject] + findings.map(\.line)
        if let rule = crossOriginRule {
            lines.append("  URLs that are signed for this store work in browsers where its bucket has this CORS rule:")
            lines += rule.rendered().split(separator: "\n").map { "    " + $0 }
        }
        return lines.joined(separator: "\n")
    }

    var json: JSONValue {
        .object([
            ("subject", .text(subject)), ("ok", .boolean(isFine)), ("findings", .array(findings.map(\.json))),
            ("cors_rule", crossOriginRule ?? .null),
        ])
    }

    /// Prints all of them; says whether nothing failed.
    static func show(_ examinations: [Examination], asJSON: Bool) -> Bool {
        let isFine = examinations.allSatisfy(\.isFine)
        if asJSON {
            let document = JSONValue.object([
                ("ok", .boolean(isFine)), ("examinations", .array(examinations.map(\.json))),
            ])
            print(document.rendered())
        } else {
            print(examinations.map(\.text).joined(separator: "\n\n"))
        }
        return isFine
    }
}
