import Pipeline
import S3API
import WireFormats

/// An explanation for people: what was understood, who asked, what is wrong, and last what was decided.
struct ExplanationText {
    let text: String

    init(_ explanation: Explanation, _ captured: CapturedRequest) {
        var lines = Lines()
        Self.understood(explanation.understood, &lines)
        if let signature = explanation.signature { Self.signature(signature, &lines) }
        lines.heading("Caller")
        lines.add("principal", explanation.caller ?? "not known")
        lines.add("credential", explanation.credential)
        lines.list("Findings", explanation.findings.map { "\($0.code.rawValue): \($0.message)" })
        lines.list("Rules", explanation.rules)
        lines.list("Assumed", captured.assumptions)
        let decision = explanation.decision
        lines.heading("Decision")
        lines.add("outcome", decision.outcome)
        lines.add("reason", decision.reason)
        let answer = [decision.status.map(String.init), decision.errorCode, decision.errorMessage].compactMap { $0 }
        lines.add("answer", answer.joined(separator: " "))
        text = lines.text
    }

    private static func understood(_ understood: Explanation.Understood, _ lines: inout Lines) {
        lines.heading("Request")
        lines.add("line", "\(understood.method) \(understood.path)")
        lines.add("host", understood.host + (understood.isSecure ? " (https)" : " (http)"))
        lines.add("from", understood.clientAddress ?? "")
        lines.add("kind", understood.kind.rawValue)
        lines.add("route", understood.route ?? "")
        let style = understood.style.map { $0 == .path ? " (in the path)" : " (in the host)" } ?? ""
        if let bucket = understood.bucket {
            lines.add("bucket", bucket + style + (understood.bucketIsKnown ? "" : ", which is not configured"))
        }
        lines.add("key", understood.key.map { String(decoding: $0, as: UTF8.self) } ?? "")
        lines.add("operation", understood.operation ?? "")
        lines.add("actions", understood.actions.joined(separator: ", "))
        lines.add("copy source", understood.copySource ?? "")
    }

    private static func signature(_ signature: Explanation.Signature, _ lines: inout Lines) {
        lines.heading("Signature")
        lines.add("form", signature.form.rawValue)
        lines.add("verdict", signature.verdict.rawValue)
        lines.add("access key", signature.accessKeyID)
        lines.add("scope", [signature.region, signature.service].compactMap { $0 }.joined(separator: ", "))
        lines.add("signed at", signature.signedAt.map { Timestamp.iso8601($0) } ?? "")
        lines.add("expires at", signature.expiresAt.map { Timestamp.iso8601($0) } ?? "")
        lines.add("covers", signature.signedHeaders.joined(separator: ", "))
        lines.add("payload", signature.payload ?? "")
        lines.add("hosts tried", signature.hosts.joined(separator: ", "))
        lines.add("not shown", signature.masked.joined(separator: ", "))
        lines.block("Canonical request", signature.canonicalRequest)
        lines.block("String to sign", signature.stringToSign)
    }

    /// Lines under headings; what is empty is left out, and nothing in them moves a terminal's cursor.
    private struct Lines {
        private(set) var text = ""

        mutating func heading(_ title: String) {
            text += (text.isEmpty ? "" : "\n") + title + "\n"
        }

        mutating func add(_ name: String, _ value: String) {
            guard !value.isEmpty else { return }
            text += "  " + name + String(repeating: " ", count: max(1, 13 - name.count)) + Self.printable(value) + "\n"
        }

        mutating func list(_ title: String, _ items: [String]) {
            guard !items.isEmpty else { return }
            heading(title)
            for item in items { text += (item.hasPrefix(" ") ? "    " : "  - ") + Self.printable(item) + "\n" }
        }

        mutating func block(_ title: String, _ value: String?) {
            guard let value else { return }
            text += "  " + title + "\n"
            for line in value.split(separator: "\n", omittingEmptySubsequences: false) {
                text += "    | " + Self.printable(String(line)) + "\n"
            }
        }

        private static func printable(_ value: String) -> String {
            var result = String.UnicodeScalarView()
            for scalar in value.unicodeScalars {
                switch scalar.value {
                case 0..<0x20, 0x7f..<0xa0, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069:
                    result.append(contentsOf: "\\u{\(String(scalar.value, radix: 16))}".unicodeScalars)
                default: result.append(scalar)
                }
            }
            return String(result)
        }
    }
}
