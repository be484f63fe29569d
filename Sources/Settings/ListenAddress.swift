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

/// `host[:port]`, an IPv6 address in brackets (RFC 3986 section 3.2, without user information).
func splitAuthority(_ text: String) -> (host: String, port: Int?)? {
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
