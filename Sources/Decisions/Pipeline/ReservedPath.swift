import HTTP1
import S3API

/// Paths under `/-/`, which no bucket can have; on a virtual host they are keys like any other.
enum ReservedPath {
    /// Nil: not a reserved path.
    static func plan(for head: RequestHead, on host: [UInt8], of server: ServerSettings) -> Plan? {
        guard head.path.count >= 2, head.path[1] == UInt8(ascii: "-"), head.path.starts(with: "/-/".utf8) else {
            return nil
        }
        let root = [UInt8(ascii: "/")]
        if let (_, style) = try? S3Address.locate(host: host, path: root, domains: server.domains),
            style == .virtualHost
        {
            return nil
        }
        let isRead = head.method == .get || head.method == .head
        guard isRead, head.path.elementsEqual("/-/health".utf8) || head.path.elementsEqual("/-/ready".utf8) else {
            return .reply(json(404, "{\"error\":{\"code\":\"NotFound\",\"message\":\"There is nothing here.\"}}"))
        }
        return .reply(json(200, "{\"status\":\"ok\"}"))
    }

    private static func json(_ status: Int, _ body: String) -> Reply {
        var fields = FieldBlock(reservingBytes: 64, fields: 2)
        fields.append("content-type", "application/json")
        fields.append("cache-control", "no-store")
        return Reply(status: status, fields: fields, body: Array(body.utf8))
    }
}
