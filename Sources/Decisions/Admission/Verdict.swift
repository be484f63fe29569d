public import Identity
public import S3API

/// The answer to an ``AccessQuestion``, with the reason for the log and for `explain`. The client is told
/// `AccessDenied` and no more.
public enum Verdict: Hashable, Sendable {
    case allowed(AllowReason)
    case denied(DenyReason)

    public var isAllowed: Bool {
        switch self {
        case .allowed: true
        case .denied: false
        }
    }

    /// The grants that it rests on, all of them, by their ids: with any of them it ends.
    public var grants: [String] {
        switch self {
        case .allowed(.grants(let ids)): ids
        case .allowed(.countedGrant(let id, let others)): others + [id]
        case .allowed, .denied: []
        }
    }

    /// For logs: from a closed list but for the names of policies and actions.
    public var reason: String {
        switch self {
        case .allowed(let reason): reason.description
        case .denied(let reason): reason.description
        }
    }
}

/// What permitted a request; where it took several, the one that permitted the last of its actions.
public enum AllowReason: Hashable, Sendable, CustomStringConvertible {
    case scope
    case role(UserRole)
    case policy(String)
    case anonymousAccess
    /// What others gave, by their ids: all that it took.
    case grants([String])
    /// The same, where a use of one of them has to be taken first.
    case countedGrant(String, besides: [String])
    /// ListBuckets: every caller may ask, and is shown what it may list.
    case filtered

    public var description: String {
        switch self {
        case .scope: "scope"
        case .role(let role): "role:" + role.rawValue
        case .policy(let name): "policy:" + name
        case .anonymousAccess: "anonymous_access"
        case .grants(let ids): Self.list(ids)
        case .countedGrant(let id, let others): Self.list(others + [id])
        case .filtered: "filtered"
        }
    }

    private static func list(_ ids: [String]) -> String { ids.map { "grant:" + $0 }.joined(separator: ",") }
}

/// What stood against a request.
public enum DenyReason: Hashable, Sendable, CustomStringConvertible {
    case disabled
    case expired
    /// A statement with `"Effect": "Deny"` of this policy.
    case explicitDeny(policy: String)
    /// `readonly` users read and list, nothing else.
    case readonly(S3Action)
    /// Nothing permits this action here.
    case notPermitted(S3Action)
    /// The store may take the key for another one, as which this is not permitted.
    case otherSpelling(S3Action)
    /// The bucket's `allowed_roles` does not name the session's role.
    case roleNotAllowed
    /// A session's own policy does not permit it.
    case sessionPolicy
    /// ListBuckets by an anonymous caller.
    case credentialNeeded
    /// Nobody reaches what was uploaded and not yet looked at.
    case quarantine
    /// A question without actions permits nothing.
    case nothingAsked

    public var description: String {
        switch self {
        case .disabled: "disabled"
        case .expired: "expired"
        case .explicitDeny(let policy): "explicit_deny:" + policy
        case .readonly(let action): "readonly:" + action.rawValue
        case .notPermitted(let action): "not_permitted:" + action.rawValue
        case .otherSpelling(let action): "other_spelling:" + action.rawValue
        case .roleNotAllowed: "role_not_allowed"
        case .sessionPolicy: "session_policy"
        case .credentialNeeded: "credential_needed"
        case .quarantine: "quarantine"
        case .nothingAsked: "nothing_asked"
        }
    }
}
