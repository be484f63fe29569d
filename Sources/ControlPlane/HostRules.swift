import Synchronization
import WireFormats

/// Which `Host` and `Origin` values the admin listener answers to. A page elsewhere can make a browser send requests
/// to a private address under a name of its own (DNS rebinding); it cannot make it send our name.
final class HostRules: Sendable {
    private let listenHost: String
    private let allowed: Set<String>
    private let port: Mutex<Int>

    init(_ settings: AdminSettings) {
        listenHost = Self.unbracketed(settings.host).lowercased()
        allowed = Set(settings.allowedHosts.map { $0.lowercased() })
        port = Mutex(settings.port)
    }

    /// The port that was really taken, where any free one was asked for.
    func bound(to actual: Int) { port.withLock { $0 = actual } }

    /// Whether `authority` (`host` or `host:port`) is one of ours.
    func permits(authority: String) -> Bool {
        let authority = authority.lowercased()
        if allowed.contains(authority) { return true }
        guard let (host, given) = Self.split(authority) else { return false }
        if allowed.contains(host) { return true }
        guard (given ?? 80) == port.withLock({ $0 }) else { return false }
        let bare = Self.unbracketed(host)
        if bare == listenHost { return true }
        if ["0.0.0.0", "::"].contains(listenHost) {
            // Every address is ours then, but no name: an address can't be rebound.
            return bare == "localhost" || IPAddress(bare) != nil
        }
        guard ["127.0.0.1", "::1", "localhost"].contains(listenHost) else { return false }
        return ["127.0.0.1", "::1", "localhost"].contains(bare)
    }

    /// Whether a page of this origin may ask what was asked of `authority`, one of ours: a page of that very authority, or
    /// of a name that is allowed, as where a proxy in front asks under a name of its own. That an address may be ours says
    /// nothing of whose page it is. `null` and other schemes may not.
    func permits(origin: String, asking authority: String) -> Bool {
        let origin = origin.lowercased()
        for (scheme, usual) in [("http://", 80), ("https://", 443)] where origin.hasPrefix(scheme) {
            let page = String(origin.dropFirst(scheme.count))
            guard let (host, port) = Self.split(page) else { return false }
            if allowed.contains(page) || allowed.contains(host) { return true }
            guard let (ours, ourPort) = Self.split(authority.lowercased()) else { return false }
            return host == ours && (port ?? usual) == (ourPort ?? 80)
        }
        return false
    }

    private static func split(_ authority: String) -> (host: String, port: Int?)? {
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            let host = String(authority[...end])
            let rest = authority[authority.index(after: end)...]
            if rest.isEmpty { return (host, nil) }
            guard rest.hasPrefix(":"), let port = port(rest.dropFirst()) else { return nil }
            return (host, port)
        }
        let parts = authority.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, let host = parts.first, !host.isEmpty else { return nil }
        if parts.count == 1 { return (String(host), nil) }
        guard let port = port(parts[1]) else { return nil }
        return (String(host), port)
    }

    private static func port(_ text: Substring) -> Int? {
        text.utf8.allSatisfy { (0x30...0x39).contains($0) } && text.utf8.count <= 5 ? Int(text) : nil
    }

    private static func unbracketed(_ host: String) -> String {
        host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }
}
