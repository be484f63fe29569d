import HTTP1
public import WireFormats

/// Where a request comes from and which hosts it may have been signed for, with trusted proxies taken into account.
public struct RequestOrigin: Sendable {
    /// The rightmost `X-Forwarded-For` entry that is not a trusted proxy where the TCP peer is one; otherwise the peer.
    /// Nil: there is no address that could be trusted.
    public let client: IPAddress?
    public let isSecure: Bool
    /// The host that names the bucket: `Host`, or a trusted proxy's `X-Forwarded-Host`.
    public let host: [UInt8]
    /// Hosts that a signature is checked against, in this order: each with and without the scheme's default port.
    public let signedHosts: [[UInt8]]

    init(_ head: RequestHead, _ facts: ConnectionFacts, trusted: [CIDR]) {
        guard let peer = facts.peer, trusted.contains(where: { $0.contains(peer) }) else {
            client = facts.peer
            isSecure = facts.isSecure
            host = head.host
            signedHosts = Self.candidates([head.host], secure: facts.isSecure)
            return
        }
        client = Self.client(behind: peer, head, trusted)
        let scheme = head.fields.first("x-forwarded-proto")
        isSecure = scheme.map { $0.elementsEqual("https".utf8) } ?? facts.isSecure
        // Read only where there is exactly one: a list would leave open whose word it is.
        if head.fields.count(of: "x-forwarded-host") == 1, let forwarded = head.fields.first("x-forwarded-host"),
            Self.isHost(forwarded)
        {
            host = Array(forwarded)
            signedHosts = Self.candidates([head.host, Array(forwarded)], secure: isSecure)
        } else {
            host = head.host
            signedHosts = Self.candidates([head.host], secure: isSecure)
        }
    }

    private static func client(behind peer: IPAddress, _ head: RequestHead, _ trusted: [CIDR]) -> IPAddress? {
        var entries: [Substring] = []
        for entry in head.fields.entries where head.fields.isNamed(entry, "x-forwarded-for") {
            let text = String(decoding: head.fields.value(entry), as: UTF8.self)
            entries.append(contentsOf: text.split(separator: ",", omittingEmptySubsequences: false))
            guard entries.count <= 64 else { return nil }
        }
        for entry in entries.reversed() {
            guard let address = IPAddress(trimmed(entry)) else { return nil }
            if !trusted.contains(where: { $0.contains(address) }) { return address }
        }
        return entries.isEmpty ? peer : entries.first.flatMap { IPAddress(trimmed($0)) }
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
