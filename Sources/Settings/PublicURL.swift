/// The address of a store or of Gatehouse itself: `https://host[:port]`, nothing after it.
package struct PublicURL: Hashable, Sendable, CustomStringConvertible {
    package enum Scheme: String, Sendable {
        case http, https

        package var standardPort: Int {
            switch self {
            case .http: 80
            case .https: 443
            }
        }
    }

    package let scheme: Scheme
    /// In lower case; an IPv6 address without brackets.
    package let host: String
    package let port: Int

    package static let expected = "a URL such as \"https://files.example.com\" (http or https, no path or query)"

    package init(scheme: Scheme, host: String, port: Int? = nil) {
        self.scheme = scheme
        self.host = host
        self.port = port ?? scheme.standardPort
    }

    package init?(parsing text: String) {
        let scheme: Scheme
        var rest: String
        if let after = text.removing(prefix: "https://") {
            (scheme, rest) = (.https, after)
        } else if let after = text.removing(prefix: "http://") {
            (scheme, rest) = (.http, after)
        } else {
            return nil
        }
        if rest.hasSuffix("/") { rest.removeLast() }
        guard let (host, port) = splitAuthority(rest), port != 0 else { return nil }
        self.init(scheme: scheme, host: host.lowercased(), port: port)
    }

    /// What goes into a `Host` field: without the scheme's own port.
    package var authority: String {
        let bracketed = host.contains(":") ? "[" + host + "]" : host
        return port == scheme.standardPort ? bracketed : bracketed + ":\(port)"
    }

    package var description: String { scheme.rawValue + "://" + authority }
}
