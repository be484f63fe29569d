import Identity
import Pipeline

extension Snapshot {
    /// Whether there can be somebody of that name by the configuration: whose name is misspelt is nobody.
    func knows(_ principal: Principal) -> Bool {
        switch principal {
        case .user(let name): apiKeys.user(named: name) != nil
        case .key(let name): accessKeys.all.contains { $0.principalName == name }
        case .identityProvider(let name, _): identityProviders.contains { $0.name == name }
        case .role(let id, _): roles[id] != nil
        case .link, .anonymous: false
        }
    }
}
