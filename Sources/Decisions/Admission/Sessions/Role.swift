public import Identity

/// An entry of `[[roles]]`: who may assume it, and what its sessions may do.
public struct Role: Sendable {
    public let id: String
    public let trust: RoleTrust
    public let scopes: [ScopeTemplate]
    /// How long a session of it lasts at most.
    public let longestSession: Duration

    public init(id: String, trust: RoleTrust, scopes: [ScopeTemplate], longestSession: Duration) {
        self.id = id
        self.trust = trust
        self.scopes = scopes
        self.longestSession = longestSession
    }

    /// Of these claims those that its templates use.
    public func needed(of claims: [String: String]) -> [String: String] {
        let names = Set(scopes.flatMap(\.claimNames))
        return claims.filter { names.contains($0.key) }
    }

    /// What a session with these claims may do.
    public func rights(for claims: [String: String]) -> RightsBasis {
        .scopes(scopes.compactMap { $0.scope(for: claims) })
    }
}
