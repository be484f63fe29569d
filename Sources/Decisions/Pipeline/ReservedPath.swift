import HTTP1
import S3API

/// A path under `/-/`, which no bucket can have. On a virtual host there is none: every path is a key there.
enum ReservedPath {
    case probe
    /// The JSON API: what stands behind `/-/v1/`, encoded as it came.
    case api(ArraySlice<UInt8>)
    /// What stores push when something happens to an object.
    case events
    /// A link: what stands behind `/-/l/`, encoded as it came.
    case link(ArraySlice<UInt8>)
    /// Its description, for everybody.
    case description
    case unknown

    init?(_ head: RequestHead, on host: [UInt8], of server: ServerSettings) {
        guard head.path.count >= 2, head.path[1] == UInt8(ascii: "-"), head.path.starts(with: "/-/".utf8),
            Self.isPathStyle(host, server)
        else { return nil }
        let isRead = head.method == .get || head.method == .head
        if isRead, head.path.elementsEqual("/-/health".utf8) || head.path.elementsEqual("/-/ready".utf8) {
            self = .probe
        } else if isRead, head.path.elementsEqual("/-/openapi.json".utf8) {
            self = .description
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

    static func isPathStyle(_ host: [UInt8], _ server: ServerSettings) -> Bool {
        let located = try? S3Address.locate(host: host, path: [UInt8(ascii: "/")], domains: server.domains)
        return located?.1 != .virtualHost
    }

    static var alive: Plan { .reply(json(200, "{\"status\":\"ok\"}".utf8)) }

    static func document(_ text: [UInt8]) -> Plan { .reply(json(200, text)) }

    private static func json(_ status: Int, _ body: some Sequence<UInt8>) -> Reply {
        var fields = FieldBlock(reservingBytes: 64, fields: 2)
        fields.append("content-type", "application/json")
        fields.append("cache-control", "no-store")
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
