import HTTP1
import Identity
import S3API

/// A path under `/-/`, or one that says who we are as an identity provider: no bucket can have either. On a virtual host there is none: every path is a key there.
enum ReservedPath {
    /// Whether we live.
    case health
    /// Whether requests should be sent here.
    case ready
    /// The JSON API: what stands behind `/-/v1/`, encoded as it came.
    case api(ArraySlice<UInt8>)
    /// What stores push when something happens to an object.
    case events
    /// A link: what stands behind `/-/l/`, encoded as it came.
    case link(ArraySlice<UInt8>)
    /// Its description, for everybody.
    case description
    /// Who we are as an identity provider.
    case provider(ProviderDocument)
    /// STS, beside the `/` that SDKs ask it at.
    case sts
    case unknown

    enum ProviderDocument {
        case discovery, keySet
    }

    init?(_ head: RequestHead, on host: [UInt8], of server: ServerSettings) {
        guard Self.isReserved(head.path), Self.isPathStyle(host, server) else { return nil }
        let isRead = head.method == .get || head.method == .head
        if head.path[1] == UInt8(ascii: ".") {
            let isDiscovery = head.path.elementsEqual(OIDCProvider.discoveryPath.utf8)
            self = isRead ? .provider(isDiscovery ? .discovery : .keySet) : .unknown
            return
        }
        if isRead, head.path.elementsEqual("/-/health".utf8) {
            self = .health
        } else if isRead, head.path.elementsEqual("/-/ready".utf8) {
            self = .ready
        } else if isRead, head.path.elementsEqual("/-/openapi.json".utf8) {
            self = .description
        } else if head.path.elementsEqual("/-/sts".utf8) {
            self = .sts
        } else if head.path.elementsEqual("/-/v1/events/s3".utf8) {
            self = .events
        } else if head.path.starts(with: "/-/v1/".utf8) {
            self = .api(head.path.dropFirst("/-/v1/".utf8.count))
        } else if head.path.starts(with: "/-/l/".utf8) {
            self = .link(head.path.dropFirst("/-/l/".utf8.count))
        } else {
            self = .unknown
        }
    }

    /// Whether a path is ours, on hosts that have paths of ours.
    static func isReserved(_ path: [UInt8]) -> Bool {
        guard path.count >= 3 else { return false }
        switch path[1] {
        case UInt8(ascii: "-"): return path[2] == UInt8(ascii: "/")
        case UInt8(ascii: "."):
            return path.elementsEqual(OIDCProvider.discoveryPath.utf8)
                || path.elementsEqual(OIDCProvider.keySetPath.utf8)
        default: return false
        }
    }

    static func isPathStyle(_ host: [UInt8], _ server: ServerSettings) -> Bool {
        let located = try? S3Address.locate(host: host, path: [UInt8(ascii: "/")], domains: server.domains)
        return located?.1 != .virtualHost
    }

    static var alive: Plan { .reply(json(200, "{\"status\":\"ok\"}".utf8)) }

    /// Why is for the admin listener to say.
    static var unready: Plan { .reply(json(503, "{\"status\":\"unavailable\"}".utf8)) }

    static func document(_ text: [UInt8]) -> Plan { .reply(json(200, text)) }

    /// What others may keep for a while.
    static func document(_ document: ProviderDocument, of provider: OIDCProvider) -> Plan {
        let text = document == .discovery ? provider.discovery : provider.keySet
        return .reply(json(200, text, caching: "public, max-age=\(OIDCProvider.freshFor.components.seconds)"))
    }

    private static func json(_ status: Int, _ body: some Sequence<UInt8>, caching: String = "no-store") -> Reply {
        var fields = FieldBlock(reservingBytes: 64, fields: 2)
        fields.append("content-type", "application/json")
        fields.append("cache-control", caching)
        return Reply(status: status, fields: fields, body: Array(body))
    }
}

/// Whose a path is.
enum PathOwner {
    /// A bucket's or an object's.
    case s3
    /// Ours: reserved, or a route's.
    case gatehouse
}
