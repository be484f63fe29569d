public import Identity
import S3API

/// The policies of a snapshot: compiled documents, each with the principals it applies to.
public struct PolicySet: Sendable {
    /// One `[[policies]]` entry.
    public struct Entry: Sendable {
        /// For the log.
        public let name: String
        public let appliesTo: [PrincipalPattern]
        public let document: PolicyDocument

        public init(name: String, appliesTo: [PrincipalPattern], document: PolicyDocument) {
            self.name = name
            self.appliesTo = appliesTo
            self.document = document
        }
    }

    private let entries: [Entry]

    public init(_ entries: [Entry] = []) { self.entries = entries }

    public var isEmpty: Bool { entries.isEmpty }
    public var count: Int { entries.count }

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
