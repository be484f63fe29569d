import S3API

/// One statement of a policy, compiled.
struct PolicyStatement: Sendable {
    enum Effect: String, Sendable {
        case allow = "Allow"
        case deny = "Deny"
    }

    let sid: String?
    let effect: Effect
    let actions: ActionSet
    private let resources: [PolicyPattern]
    /// `NotResource`: the statement is about everything else.
    private let resourcesAreExcluded: Bool
    private var conditions: [PolicyCondition]
    /// What conditions say that were looked at before and are the same whatever is asked for.
    private var settled = Ternary.yes

    init(_ element: PolicyElement) throws(PolicyLoadError) {
        let members = try element.members(known: [
            "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition",
        ])
        sid = try members["Sid"].map { (sid) throws(PolicyLoadError) in try sid.string() }
        guard let effect = members["Effect"] else { throw PolicyLoadError(element.path, "\"Effect\" is missing") }
        guard let known = Effect(rawValue: try effect.string()) else {
            throw PolicyLoadError(effect.path, "the effect is \"Allow\" or \"Deny\"")
        }
        self.effect = known
        switch (members["Action"], members["NotAction"]) {
        case (let names?, nil): actions = try PolicyActions.set(names)
        case (nil, let names?): actions = PolicyActions.every.subtracting(try PolicyActions.set(names))
        default: throw PolicyLoadError(element.path, "either \"Action\" or \"NotAction\" must be given")
        }
        switch (members["Resource"], members["NotResource"]) {
        case (let resources?, nil):
            self.resources = try Self.patterns(resources)
            resourcesAreExcluded = false
        case (nil, let resources?):
            self.resources = try Self.patterns(resources)
            resourcesAreExcluded = true
        default:
            throw PolicyLoadError(element.path, "either \"Resource\" or \"NotResource\" must be given")
        }
        conditions =
            try members["Condition"].map { (condition) throws(PolicyLoadError) in
                try PolicyCondition.all(condition)
            } ?? []
    }

    /// Whether the statement is about a resource and its conditions hold.
    /// - Parameter resource: What follows `arn:aws:s3:::`.
    func applies(
        to resource: [UInt8],
        _ question: AccessQuestion,
        _ values: (RequestValue) -> [[UInt8]]
    ) -> Ternary {
        var result = settled && concerns(resource, question, values)
        for condition in conditions where result != .no {
            result = result && condition.holds(for: question, values)
        }
        return result
    }

    /// The same for other objects in the same request of the same caller, its conditions looked at as far as they don't differ by
    /// object; nil where it never applies.
    func settled(for question: AccessQuestion, _ values: (RequestValue) -> [[UInt8]]) -> PolicyStatement? {
        var statement = self
        statement.conditions = conditions.filter(\.differsByObject)
        for condition in conditions where !condition.differsByObject && statement.settled != .no {
            statement.settled = statement.settled && condition.holds(for: question, values)
        }
        return statement.settled == .no ? nil : statement
    }

    /// A pattern with a variable that has no value matches nothing, as in IAM; whether something lies outside of it
    /// is then not known.
    private func concerns(
        _ resource: [UInt8],
        _ question: AccessQuestion,
        _ values: (RequestValue) -> [[UInt8]]
    ) -> Ternary {
        var unresolved = false
        for pattern in resources {
            switch pattern.matches(resource, { question.variable($0, values) }) {
            case .yes: return resourcesAreExcluded ? .no : .yes
            case .unresolved: unresolved = true
            case .no: continue
            }
        }
        guard resourcesAreExcluded else { return .no }
        return unresolved ? .unknown : .yes
    }

    private static func patterns(_ element: PolicyElement) throws(PolicyLoadError) -> [PolicyPattern] {
        var patterns: [PolicyPattern] = []
        for element in try element.oneOrMore() {
            let text = try element.string()
            let name = text == "*" ? "*" : text.hasPrefix(arn) ? String(text.dropFirst(arn.count)) : ""
            guard !name.isEmpty, name.utf8.first != UInt8(ascii: "/") else {
                throw PolicyLoadError(element.path, "a resource is \"*\", \(arn)BUCKET or \(arn)BUCKET/KEY")
            }
            patterns.append(try PolicyPattern(name, wildcards: .starAndQuestionMark, at: element.path))
        }
        return patterns
    }

    private static let arn = "arn:aws:s3:::"
}

/// The names of `Action` and `NotAction`.
private enum PolicyActions {
    static let every = ActionSet(S3Action.allCases)

    /// The actions that the names mean; wildcards are expanded, case doesn't matter.
    static func set(_ element: PolicyElement) throws(PolicyLoadError) -> ActionSet {
        var set: ActionSet = []
        for element in try element.oneOrMore() {
            let name = try element.string()
            if name == "*" {
                set.formUnion(every)
                continue
            }
            let pattern = try PolicyPattern(
                name.replacing("${", with: "${$}{"),
                wildcards: .starAndQuestionMark,
                case: .insensitive,
                at: element.path
            )
            let service = name.prefix { $0 != ":" }.lowercased()
            let matching = S3Action.allCases.filter { pattern.matches(Array($0.iamName.utf8), { _ in nil }) == .yes }
            guard ["s3", "gatehouse"].contains(service), !matching.isEmpty else {
                throw PolicyLoadError(element.path, "'\(name)' names no known action")
            }
            set.formUnion(ActionSet(matching))
        }
        return set
    }
}
