import HTTP1
public import WireFormats

/// Where a request comes from and which hosts it may have been signed for, with trusted proxies taken into account.
public struct RequestOrigin: Sendable {
    /// The rightmost `X-Forwarded-For` entry that is not a trusted proxy where the TCP peer is one; otherwise the peer.
    /// Nil: there is no address that could be trusted.
    public let client: IPAddress?
    /// The other end of the connection.
    let peer: IPAddress?
    public let isSecure: Bool
    /// The host that names the bucket: `Host`, or a trusted proxy's `X-Forwarded-Host`.
    public let host: [UInt8]
    /// `Host` where the bucket is named by another one.
    private let innerHost: [UInt8]?

    init(_ head: RequestHead, _ facts: ConnectionFacts, trusted: [CIDR]) {
        peer = facts.peer
        guard let peer = facts.peer, trusted.contains(where: { $0.contains(peer) }) else {
            client = facts.peer
            isSecure = facts.isSecure
            host = head.host
            innerHost = nil
            return
        }
        client = Self.client(behind: peer, head, trusted)
        let scheme = head.fields.count(of: "x-forwarded-proto") == 1 ? head.fields.first("x-forwarded-proto") : nil
        isSecure = scheme.map { $0.elementsEqual("https".utf8) } ?? facts.isSecure
        // Read only where there is exactly one: a list would leave open whose word it is.
        if head.fields.count(of: "x-forwarded-host") == 1, let forwarded = head.fields.first("x-forwarded-host"),
            Self.isHost(forwarded)
        {
            host = Array(forwarded)
            innerHost = head.host
        } else {
            host = head.host
            innerHost = nil
        }
    }

    /// What is known of a request that somebody else received.
    ///
    /// - Parameter peer: whoever received it, and asks about it.
    init(client: IPAddress?, peer: IPAddress?, isSecure: Bool, host: [UInt8]) {
        self.client = client
        self.peer = peer
        self.isSecure = isSecure
        self.host = host
        innerHost = nil
    }

    /// Hosts that a signature is checked against, in this order: each with and without the scheme's default port.
    ///
    /// - Parameter agrees: whether a host names the same thing as ``host``: behind a proxy that passes a client's own
    ///   `X-Forwarded-Host` on, a signature for one bucket's host must not open another's.
    public func signedHosts(where agrees: ([UInt8]) -> Bool) -> [[UInt8]] {
        guard let innerHost else { return Self.candidates([host], secure: isSecure) }
        return Self.candidates(agrees(innerHost) ? [innerHost, host] : [host], secure: isSecure)
    }

    /// From the right: each trusted proxy's word is good for the entry before its own. An unreadable entry leaves nothing
    /// to trust.
    private static func client(behind peer: IPAddress, _ head: RequestHead, _ trusted: [CIDR]) -> IPAddress? {
        var nearest = peer
        for entry in head.fields.entries.reversed() where head.fields.isNamed(entry, "x-forwarded-for") {
            let text = String(decoding: head.fields.value(entry), as: UTF8.self)
            for hop in text.split(separator: ",", omittingEmptySubsequences: false).reversed() {
                guard let address = IPAddress(trimmed(hop)) else { return nil }
                guard trusted.contains(where: { $0.contains(address) }) else { return address }
                nearest = address
            }
        }
        return nearest
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return start[...last]
    }

    private static func isHost(_ bytes: ArraySlice<UInt8>) -> Bool {
        !bytes.isEmpty && bytes.count <= 255
            && bytes.allSatisfy { byte in
                switch lowered(byte) {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                    UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    /// Clients differ in whether they sign the default port, and a proxy may add or drop it.
    private static func candidates(_ hosts: [[UInt8]], secure: Bool) -> [[UInt8]] {
        let defaultPort: StaticString = secure ? ":443" : ":80"
        var candidates: [[UInt8]] = []
        for host in hosts where !candidates.contains(host) {
            candidates.append(host)
            let suffix = defaultPort.withUTF8Buffer { Array($0) }
            if host.suffix(suffix.count).elementsEqual(suffix) {
                candidates.append(Array(host.dropLast(suffix.count)))
            } else if host.last == UInt8(ascii: "]") || !host.contains(UInt8(ascii: ":")) {
                candidates.append(host + suffix)
            }
        }
        return candidates
    }
}
