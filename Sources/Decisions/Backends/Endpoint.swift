import WireFormats

/// Where a store is reached: its address, whether TLS is spoken there, and the authority that requests name.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    public enum Address: Hashable, Sendable {
        /// A name or an address; IPv6 without brackets.
        case tcp(host: String, port: Int)
        /// A Unix socket's path.
        case unix(path: String)
    }

    public enum Transport: Hashable, Sendable {
        case plain
        case tls

        /// What a URL begins with.
        var scheme: String { self == .tls ? "https://" : "http://" }
    }

    public let address: Address
    public let transport: Transport
    /// The value of `host`, in lower case: with the port unless it is the scheme's own.
    public let authority: String

    public init(address: Address, transport: Transport, authority: String) {
        self.address = address
        self.transport = transport
        self.authority = authority
    }

    /// A store on this machine behind a Unix socket, without TLS.
    public init(unixSocket path: String, authority: String = "localhost") {
        self.init(address: .unix(path: path), transport: .plain, authority: authority)
    }

    /// `http://host[:port]` or `https://host[:port]`, a trailing `/` allowed; nil for anything else: a path, a query or
    /// a user in the URL is a mistake.
    public init?(url: String) {
        let transport: Transport
        var rest: Substring
        if url.hasPrefix("https://") {
            transport = .tls
            rest = url.dropFirst("https://".count)
        } else if url.hasPrefix("http://") {
            transport = .plain
            rest = url.dropFirst("http://".count)
        } else {
            return nil
        }
        if rest.last == "/" { rest = rest.dropLast() }
        guard let (host, port) = Self.split(rest.lowercased()) else { return nil }
        let usualPort = transport == .tls ? 443 : 80
        let name = host.contains(":") ? "[\(host)]" : host
        self.init(
            address: .tcp(host: host, port: port ?? usualPort),
            transport: transport,
            authority: port == nil || port == usualPort ? name : "\(name):\(port ?? usualPort)"
        )
    }

    private static func split(_ authority: String) -> (host: String, port: Int?)? {
        var host = authority[...]
        var port: Int?
        let bracketed = host.first == "["
        let afterHost = bracketed ? host.firstIndex(of: "]").map { host.index(after: $0) } : host.firstIndex(of: ":")
        guard !bracketed || afterHost != nil else { return nil }
        if let afterHost, afterHost != host.endIndex {
            guard host[afterHost] == ":" else { return nil }
            let digits = host[host.index(after: afterHost)...]
            guard digits.allSatisfy({ $0.isASCII && $0.isNumber }), let number = Int(digits),
                (1...65_535).contains(number)
            else { return nil }
            port = number
            host = host[..<afterHost]
        }
        if bracketed { host = host.dropFirst().dropLast() }
        let allowed = host.utf8.allSatisfy { byte in
            (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
                || byte == UInt8(ascii: "_") || (bracketed && byte == UInt8(ascii: ":"))
        }
        guard !host.isEmpty, allowed else { return nil }
        return (String(host), port)
    }

    /// Which buckets are reached there, as far as an address tells: at two endpoints of one namespace a name is one bucket. AWS
    /// and Google have one each, whatever the address, and this machine has one a port. Of other stores it is the host as
    /// written, with its port: that two names lead to one machine is not known.
    public var namespace: String {
        if isOfAWS { return "aws" }
        if isOfGoogle { return "google" }
        switch address {
        case .unix(let path): return "unix:" + path
        case .tcp(_, let port):
            let name = isLoopback ? "localhost" : IPAddress(name).map { "\($0)" } ?? name
            return port == 80 || port == 443 ? name : "\(name):\(port)"
        }
    }

    /// The host; a dot behind it, which names the same one, is left out. Empty for a Unix socket.
    private var name: String {
        guard case .tcp(let host, _) = address else { return "" }
        return host.hasSuffix(".") ? String(host.dropLast()) : host
    }

    /// Means another machine to everybody who is not on this one.
    public var isLoopback: Bool {
        if name == "localhost" || name.hasSuffix(".localhost") { return true }
        guard let address = IPAddress(name) else { return false }
        return Self.loopback.contains { $0.contains(address) }
    }

    private static let loopback = ["127.0.0.0/8", "::1/128"].compactMap { CIDR($0) }

    /// Whether it is one of AWS itself, of which is known what it can do.
    public var isOfAWS: Bool {
        name.hasSuffix(".amazonaws.com") || name.hasSuffix(".amazonaws.com.cn")
    }

    /// Whether it is Google's own.
    public var isOfGoogle: Bool {
        name == "storage.googleapis.com" || name.hasSuffix(".storage.googleapis.com")
    }

    /// Whether it is a store of our own on this machine.
    public var isEmbedded: Bool {
        if case .unix = address { true } else { false }
    }

    public var description: String {
        switch (address, transport) {
        case (.unix(let path), _): "unix:" + path
        case (.tcp, .plain): "http://" + authority
        case (.tcp, .tls): "https://" + authority
        }
    }
}
