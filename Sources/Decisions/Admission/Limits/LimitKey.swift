public import Identity
public import WireFormats

/// Whose budget a request draws on: a principal's, or, where there is none to trust, an address's (IPv6: its /64).
public struct LimitKey: Hashable, Sendable {
    private enum Form: Hashable {
        case principal(Principal)
        case session(role: String, holder: String)
        case anonymous(IPAddress)
        case failedAuthentication(IPAddress)
        case sts(IPAddress)
    }

    private let form: Form

    private init(_ form: Form) { self.form = form }

    /// An authenticated caller. For ``Principal/anonymous`` use ``anonymous(from:)``: all anonymous callers together
    /// would share this one.
    public static func principal(_ principal: Principal) -> LimitKey { LimitKey(.principal(principal)) }

    /// The sessions of a role that one holder has, however many and by whatever names.
    public static func sessions(ofRole role: String, of holder: String) -> LimitKey {
        LimitKey(.session(role: role, holder: holder))
    }

    public static func anonymous(from address: IPAddress) -> LimitKey {
        LimitKey(.anonymous(address.rateLimitKey))
    }

    /// Requests for sessions, whoever they are by.
    public static func sts(from address: IPAddress) -> LimitKey { LimitKey(.sts(address.rateLimitKey)) }

    /// Requests whose authentication failed; counted apart from anonymous ones, so that a wrong key elsewhere behind
    /// the same address does not close public buckets.
    public static func failedAuthentication(from address: IPAddress) -> LimitKey {
        LimitKey(.failedAuthentication(address.rateLimitKey))
    }
}
