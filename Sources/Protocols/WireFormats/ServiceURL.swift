/// The address of a service that Gatehouse asks over HTTP: `https://host[:port][/path][?query]`. User information,
/// fragments, and whatever two readers might split differently are refused.
public struct ServiceURL: Hashable, Sendable, CustomStringConvertible {
    public enum Transport: Sendable {
        case plain, tls
    }

    /// As it was written.
    public let description: String
    public let transport: Transport
    /// In lower case where it is a name; an IPv6 address without brackets.
    public let host: String

    public init?(_ text: String) {
        let bytes = Array(text.utf8)
        var rest: ArraySlice<UInt8>
        if bytes.starts(with: "https://".utf8) {
            (transport, rest) = (.tls, bytes.dropFirst("https://".utf8.count))
        } else if bytes.starts(with: "http://".utf8) {
            (transport, rest) = (.plain, bytes.dropFirst("http://".utf8.count))
        } else {
            return nil
        }
        guard bytes.count <= 2048, bytes.allSatisfy(Self.isURLByte) else { return nil }
        let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
        rest = rest.dropFirst(authority.count)
        guard let host = Self.host(of: authority) else { return nil }
        self.host = host
        description = text
    }

    public var scheme: String { transport == .tls ? "https" : "http" }

    /// Host and, where it was given, port: the value of `Host`.
    public var authority: String {
        String(withoutScheme.prefix { $0 != "/" && $0 != "?" })
    }

    /// From the slash on, without the query; `/` where there is none.
    public var path: String {
        let path = withoutScheme.drop { $0 != "/" && $0 != "?" }.prefix { $0 != "?" }
        return path.isEmpty ? "/" : String(path)
    }

    private var withoutScheme: Substring { description.dropFirst(scheme.count + 3) }

    /// Whether it can only be this machine, so that nobody listens in where TLS is missing.
    public var isLoopback: Bool {
        guard let address = IPAddress(host) else { return host == "localhost" }
        return Self.loopback.contains { $0.contains(address) }
    }

    /// Whether nobody between here and there reads along or answers in its place.
    public var isPrivate: Bool { transport == .tls || isLoopback }

    private static let loopback = ["127.0.0.0/8", "::1/128"].compactMap(CIDR.init)

    private static func host(of authority: ArraySlice<UInt8>) -> String? {
        var name = authority
        var port: ArraySlice<UInt8>?
        if authority.first == UInt8(ascii: "[") {
            guard let end = authority.firstIndex(of: UInt8(ascii: "]")) else { return nil }
            name = authority[(authority.startIndex + 1)..<end]
            let rest = authority[(end + 1)...]
            if !rest.isEmpty {
                guard rest.first == UInt8(ascii: ":") else { return nil }
                port = rest.dropFirst()
            }
            guard case .v6? = IPAddress(String(decoding: name, as: UTF8.self)) else { return nil }
        } else {
            if let colon = authority.firstIndex(of: UInt8(ascii: ":")) {
                name = authority[..<colon]
                port = authority[(colon + 1)...]
            }
            guard (1...253).contains(name.count), name.allSatisfy(isHostByte) else { return nil }
        }
        if let port {
            let isNumber = (1...5).contains(port.count) && port.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
            guard isNumber, let number = Int(String(decoding: port, as: UTF8.self)), (1...65_535).contains(number)
            else { return nil }
        }
        return String(decoding: name.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._".utf8.contains(byte)
        }
    }

    /// Visible ASCII without what RFC 3986 leaves out, user information's `@` and a fragment's `#`.
    private static func isURLByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7F && !"\"<>\\^`{}|#@".utf8.contains(byte)
    }
}
