import Identity
import S3API
import WireFormats

/// What a condition key stands for in one request.
enum ConditionValue: Sendable {
    case absent
    /// Present but not to be trusted, or not to be understood.
    case unknown
    case texts([[UInt8]])
    case instant(Instant)
    case flag(Bool)
    case address(IPAddress)
}

extension AccessQuestion {
    /// What conditions look at of one part of a request, in bytes, all its values together: a source of a copy with the longest
    /// key there can be fits in. More than that is there and not looked at, so that it permits nothing and saves from no denial.
    static let longestValue = 2048

    func value(of key: ConditionKey, _ values: (RequestValue) -> [[UInt8]]) -> ConditionValue {
        switch key.source {
        case .caller:
            return callerText(key).map { .texts([Array($0.utf8)]) } ?? .absent
        case .address:
            guard circumstances.occasion == .present else { return .unknown }
            return circumstances.sourceAddress.map { .address($0) } ?? .unknown
        case .clock:
            return circumstances.occasion == .present ? .instant(circumstances.now) : .unknown
        case .transport:
            return .flag(circumstances.transport == .tls)
        case .listing:
            guard case .listing(_, let prefix) = target else { return .absent }
            // An empty prefix is present if it was sent: IAM tells `prefix=` from none.
            return prefix.isEmpty && values(.query("prefix")).isEmpty ? .absent : .texts([prefix])
        case .version:
            return versionID.map { .texts([$0]) } ?? .absent
        case .request(.header) where circumstances.occasion == .later,
            .request(.client) where circumstances.occasion == .later:
            return .unknown
        case .request(let part):
            let texts = values(part)
            guard texts.reduce(0, { $0 + $1.count }) <= Self.longestValue else { return .unknown }
            return texts.isEmpty ? .absent : .texts(texts)
        }
    }

    /// What a policy variable stands for; nil where it has no value.
    func variable(_ key: ConditionKey, _ values: (RequestValue) -> [[UInt8]]) -> [UInt8]? {
        guard case .texts(let texts) = value(of: key, values), texts.count == 1 else { return nil }
        return texts.first
    }

    private func callerText(_ key: ConditionKey) -> String? {
        if key == .userID { return principal.description }
        switch principal {
        case .user(let name), .key(let name): return name.isEmpty ? nil : name
        case .identityProvider, .role, .link, .anonymous: return nil
        }
    }
}
