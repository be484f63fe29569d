import WireFormats

/// Where a listener listens: `127.0.0.1:9000`, `[::1]:9000`, `localhost:9000`. Port 0 takes any free one.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    /// An IP address without brackets, or a host name.
    package let host: String
    package let port: Int

    package static let expected = "an address with a port such as \"127.0.0.1:9000\" or \"[::1]:9000\""

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    package init?(parsing text: String) {
        guard let (host, port) = splitAuthority(text), let port else { return nil }
        self.init(host: host, port: port)
    }

    package var description: String {
        (host.contains(":") ? "[" + host + "]" : host) + ":\(port)"
    }
}

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

/// A URL that requests are sent to: `https://host[:port]/path?query`, without user or fragment.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
    package let origin: PublicURL
    /// Path and query, at least `/`.
    package let target: String

    /// Nil for anything that is not printable ASCII as well: what is sent is what was written.
    package init?(parsing text: String) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "#") }),
            let scheme = ["http://", "https://"].first(where: text.hasPrefix)
        else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        guard let origin = PublicURL(parsing: scheme + authority) else { return nil }
        self.origin = origin
        let rest = text[authority.endIndex...]
        target = rest.hasPrefix("/") ? String(rest) : "/" + rest
    }

    package var description: String { origin.description + target }
}

/// `host[:port]`, an IPv6 address in brackets (RFC 3986 section 3.2, without user information).
private func splitAuthority(_ text: String) -> (host: String, port: Int?)? {
    var host = text[...]
    var port: Substring?
    if text.hasPrefix("[") {
        guard let end = text.firstIndex(of: "]") else { return nil }
        host = text[text.index(after: text.startIndex)..<end]
        let rest = text[text.index(after: end)...]
        if !rest.isEmpty {
            guard rest.hasPrefix(":") else { return nil }
            port = rest.dropFirst()
        }
        guard case .v6? = IPAddress(host) else { return nil }
    } else {
        if let colon = text.firstIndex(of: ":") {
            host = text[..<colon]
            port = text[text.index(after: colon)...]
        }
        let isName = host.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "_")
        }
        guard !host.isEmpty, host.utf8.count <= 253, isName else { return nil }
        // All digits and dots is an address or nothing.
        let isNumeric = host.utf8.allSatisfy { $0 == UInt8(ascii: ".") || $0 &- UInt8(ascii: "0") < 10 }
        guard !isNumeric || IPAddress(host) != nil else { return nil }
    }
    guard let port else { return (String(host), nil) }
    guard (1...5).contains(port.utf8.count), port.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }),
        let number = Int(port), number <= 65535
    else { return nil }
    return (String(host), number)
}
