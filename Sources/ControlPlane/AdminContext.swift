import HTTPTypes
import Hummingbird
import Identity
import Logging
import NIOCore
import WireFormats

/// One request at the admin listener.
struct AdminContext: RequestContext {
    var coreContext: CoreRequestContextStorage
    /// The peer: an address, or `socket` for the command line's.
    let source: String
    /// What attempts are counted by.
    let limitKey: String
    /// Set by ``AdminGate`` on everything that is not open to all.
    var caller: AdminCaller?

    init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        let address = source.channel.remoteAddress?.ipAddress
        self.source = address ?? "socket"
        limitKey = address.flatMap { IPAddress($0) }.map { "\($0.rateLimitKey)" } ?? "socket"
    }
}

/// Who asks, proven.
enum AdminCaller: Sendable {
    /// The command line on this machine, as the user that owns the state directory.
    case socket
    case apiKey(Principal)
    case session(AdminSession)

    var principal: Principal? {
        switch self {
        case .socket: nil
        case .apiKey(let principal): principal
        case .session(let session): session.principal
        }
    }

    var csrfToken: String {
        switch self {
        case .session(let session): session.csrfToken
        case .socket, .apiKey: ""
        }
    }
}
