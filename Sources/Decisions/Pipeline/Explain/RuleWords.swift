import Admission
import Identity
import S3API

/// Which rules spoke for or against a request, each in a line: the decision itself is asked, action by action and scope by
/// scope.
struct RuleWords {
    let lines: [String]

    init(_ request: S3Request, _ caller: Authenticated, _ located: Located, _ asking: Asking) {
        let question = Admitted.question(request, by: caller, to: located, asking)
        var lines: [String] = []
        if request.operation == .deleteObjects {
            lines.append("Each key of a batch is decided by itself, when the document is there.")
        } else if question.target.bucket == nil {
            let verdict = decide(question, policies: asking.snapshot.policies, values: asking.values)
            lines.append(Self.words(verdict))
        }
        for action in question.actions.actions where question.target.bucket != nil {
            lines += Self.lines(action, question, "", asking, asking.values)
        }
        if let copied = request.copySource {
            let reading = Admitted.sourceQuestion(copied, question, asking)
            for action in reading.actions.actions {
                lines += Self.lines(action, reading, " at the copy's source", asking, asking.valuesOfSource)
            }
        }
        self.lines = lines
    }

    /// One action: the verdict, and what each of the caller's scopes has to do with it.
    private static func lines(
        _ action: S3Action,
        _ question: AccessQuestion,
        _ place: String,
        _ asking: Asking,
        _ values: (RequestValue) -> [[UInt8]]
    ) -> [String] {
        var one = question
        one.actions = ActionSet(action)
        let verdict = decide(one, policies: asking.snapshot.policies, values: values)
        let start = "\(action.rawValue)\(place): "
        switch (verdict, question.basis) {
        case (.allowed(.scope), .scopes(let scopes)):
            let permitting = scopes.indices.filter {
                scopes[$0].shortfall(of: action, at: one.target, one.bucket) == nil
            }
            let names = permitting.map { "scope \($0 + 1) (\(describe(scopes[$0])))" }
            return [start + "allowed by " + names.joined(separator: " and ")]
        case (.denied(.notPermitted), .scopes(let scopes)):
            return [start + words(verdict)]
                + scopes.enumerated().prefix(20).compactMap { index, scope in
                    scope.shortfall(of: action, at: one.target, one.bucket).map {
                        "  scope \(index + 1) (\(describe(scope))) \(words($0))"
                    }
                } + (scopes.isEmpty ? ["  the credential has no scopes"] : [])
        case (.denied(.notPermitted), .user(let role, let buckets)):
            return [start + words(verdict), "  the user has the role \(role.rawValue) on \(describe(buckets))"]
        default:
            return [start + words(verdict)]
        }
    }

    private static func words(_ verdict: Verdict) -> String {
        switch verdict {
        case .allowed(.scope): "allowed by the credential's scopes"
        case .allowed(.role(let role)): "allowed by the user's role \(role.rawValue)"
        case .allowed(.policy(let name)): "allowed by the policy \(quoted(name))"
        case .allowed(.anonymousAccess): "allowed to everybody: the bucket has anonymous_access"
        case .allowed(.grants), .allowed(.countedGrant):
            "allowed by " + verdict.grants.map { "the grant \(quoted($0))" }.joined(separator: " and ")
        case .allowed(.filtered): "allowed: every caller may ask, and is shown the buckets that it may list"
        case .denied(.roleNotAllowed): "denied: the bucket's allowed_roles does not name the session's role"
        case .denied(.disabled): "denied: the principal is disabled"
        case .denied(.expired): "denied: the principal has expired"
        case .denied(.explicitDeny(let name)):
            "denied by the policy \(quoted(name)), and nothing that allows outweighs that"
        case .denied(.readonly): "denied: the role readonly reads and lists, whatever else permits more"
        case .denied(.notPermitted): "denied: nothing permits it here"
        case .denied(.otherSpelling):
            "denied: the store may take the key for another one (a backslash for a slash, several slashes for one), and "
                + "nothing permits it there"
        case .denied(.sessionPolicy): "denied: the session's own policy does not permit it"
        case .denied(.credentialNeeded): "denied: anonymous callers may not"
        case .denied(.quarantine): "denied: nobody reaches what was uploaded and not yet looked at"
        case .denied(.nothingAsked): "denied: there is nothing to permit"
        }
    }

    private static func words(_ shortfall: Scope.Shortfall) -> String {
        switch shortfall {
        case .otherBucket: "is about another bucket"
        case .outsidePrefixes: "covers another part of the bucket"
        case .notNamed: "does not name this action"
        }
    }

    private static func describe(_ scope: Scope) -> String {
        let bucket =
            switch scope.bucket {
            case .every: "every bucket"
            case .named(let name): "bucket \(quoted(name.string))"
            }
        guard !scope.prefixes.isEmpty else { return bucket }
        return bucket + ", below " + scope.prefixes.prefix(8).map { quoted($0) }.joined(separator: ", ")
    }

    private static func describe(_ buckets: AllowedBuckets) -> String {
        switch buckets {
        case .every: "every bucket"
        case .named(let names) where names.isEmpty: "no bucket"
        case .named(let names): names.sorted().prefix(20).map { quoted($0) }.joined(separator: ", ")
        }
    }
}
