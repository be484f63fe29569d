package import Identity
import S3API

/// The policies of a snapshot: compiled documents, each with the principals it applies to.
package struct PolicySet: Sendable {
    /// One `[[policies]]` entry.
    package struct Entry: Sendable {
        /// For the log.
        package let name: String
        package let appliesTo: [PrincipalPattern]
        package let document: PolicyDocument

        package init(name: String, appliesTo: [PrincipalPattern], document: PolicyDocument) {
            self.name = name
            self.appliesTo = appliesTo
            self.document = document
        }
    }

    private let entries: [Entry]

    package init(_ entries: [Entry] = []) { self.entries = entries }

    package var isEmpty: Bool { entries.isEmpty }
    package var count: Int { entries.count }

    /// What the policies that apply to the caller say, together.
    func ruling(on question: AccessQuestion, _ values: (RequestValue) -> [[UInt8]]) -> PolicyRuling {
        var result = PolicyRuling()
        for entry in entries where entry.appliesTo.contains(where: { $0.matches(question.principal) }) {
            let ruling = entry.document.ruling(on: question, named: entry.name, values)
            if ruling.deniedBy != nil { return ruling }
            result.allowed.formUnion(ruling.allowed)
            result.allowedBy = ruling.allowedBy ?? result.allowedBy
        }
        return result
    }
}

/// What policies say to a question.
struct PolicyRuling: Sendable {
    /// The policy with a statement that denies one of the actions.
    var deniedBy: String?
    var allowed: ActionSet = []
    /// The last policy that permitted one of the actions.
    var allowedBy: String?
}
