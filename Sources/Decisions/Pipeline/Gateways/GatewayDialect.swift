import HTTP1
import S3API

/// How a gateway asks whether a request may pass: where in its own request the client's stands.
public enum GatewayDialect: String, CaseIterable, Sendable {
    /// `ext_authz` over HTTP: the client's method, and its path behind ours.
    case envoy
    /// `auth_request`: `X-Original-Method` and `X-Original-URI`, which the operator sets.
    case nginx
    /// `forwardAuth`: `X-Forwarded-Method`, `-Uri` and `-Host`.
    case traefik
    /// `forward_auth`: the same fields.
    case caddy

    /// `/-/authz/{dialect}`, and for Envoy what follows it. Nil: the path is no gateway's question.
    static func find(in path: [UInt8]) -> (dialect: GatewayDialect, rest: ArraySlice<UInt8>)? {
        guard path.count > 9, path[1] == UInt8(ascii: "-"), path.starts(with: "/-/authz/".utf8) else { return nil }
        let named = path[9...]
        let end = named.firstIndex(of: UInt8(ascii: "/")) ?? named.endIndex
        for dialect in allCases where named[..<end].elementsEqual(dialect.rawValue.utf8) {
            return (dialect, named[end...])
        }
        return nil
    }

    /// The client's request as far as the gateway tells of it.
    ///
    /// - Parameter rest: what follows the dialect's name in the path.
    /// - Throws: a denial where a field that tells of it is missing, doubled, or can't be what it should.
    func clientRequest(
        in head: RequestHead,
        rest: ArraySlice<UInt8>,
        maxTargetBytes: Int
    ) throws(Refusal) -> RequestHead {
        let fields = head.fields
        switch self {
        case .envoy:
            return try Self.request(
                head.method,
                Target(path: Array(rest), query: head.query),
                host: head.host,
                fields
            )
        case .nginx:
            guard rest.isEmpty else { throw .gateway("the check's path is unknown") }
            return try Self.request(
                try Self.method(try Self.one("x-original-method", of: fields)),
                try Target(try Self.one("x-original-uri", of: fields), maxBytes: maxTargetBytes),
                host: try Self.host("x-original-host", of: head),
                fields
            )
        case .traefik, .caddy:
            guard rest.isEmpty else { throw .gateway("the check's path is unknown") }
            return try Self.request(
                try Self.method(try Self.one("x-forwarded-method", of: fields)),
                try Target(try Self.one("x-forwarded-uri", of: fields), maxBytes: maxTargetBytes),
                host: try Self.host("x-forwarded-host", of: head),
                fields
            )
        }
    }

    private static func request(
        _ method: HTTPMethod,
        _ target: Target,
        host: [UInt8],
        _ fields: FieldBlock
    ) throws(Refusal) -> RequestHead {
        guard target.path.first == UInt8(ascii: "/") else { throw .gateway("the original path is missing") }
        // The body stays with the gateway, and its length too unless the gateway says it.
        var length: Int64 = 0
        var own = FieldBlock(bytes: fields.bytes, entries: fields.entries.filter { !isOfTheCheck($0, fields) })
        if fields.count(of: "x-original-content-length") > 0 {
            let stated = try one("x-original-content-length", of: fields)
            if !stated.isEmpty {
                guard let number = decimal(stated) else { throw .gateway("the original length is not a number") }
                length = number
                own.append("content-length", stated)
            }
        }
        return RequestHead(
            method: method,
            path: target.path,
            query: target.query,
            fields: own,
            framing: .length(length),
            host: host
        )
    }

    /// What the gateway's own request is about, and not the client's.
    private static func isOfTheCheck(_ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        switch lowered(fields.bytes[entry.name.lowerBound]) {
        case UInt8(ascii: "x"):
            fields.hasPrefix(entry, "x-original-") || fields.hasPrefix(entry, "x-forwarded-")
                || fields.isNamed(entry, "x-gatehouse-gateway")
        case UInt8(ascii: "c"): fields.isNamed(entry, "content-length") || fields.isNamed(entry, "connection")
        case UInt8(ascii: "h"): fields.isNamed(entry, "host")
        default: false
        }
    }

    private static func one(_ name: StaticString, of fields: FieldBlock) throws(Refusal) -> ArraySlice<UInt8> {
        do {
            guard let value = try fields.single(name) else { throw Refusal.gateway("\(name) is missing") }
            return value
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .gateway("\(name) is given more than once")
        }
    }

    /// The host that the client named: the field's, or that of the check itself.
    private static func host(_ name: StaticString, of head: RequestHead) throws(Refusal) -> [UInt8] {
        guard head.fields.count(of: name) > 0 else { return head.host }
        let host = try one(name, of: head.fields)
        guard !host.isEmpty, host.count <= 255, host.allSatisfy({ $0 &- 0x21 < 0x5E }) else {
            throw .gateway("\(name) is not a host")
        }
        return Array(host)
    }

    private static func method(_ name: ArraySlice<UInt8>) throws(Refusal) -> HTTPMethod {
        guard !name.isEmpty, name.count <= 32, name.allSatisfy({ ($0 | 0x20) &- 0x61 < 26 || $0 == 0x2D }) else {
            throw .gateway("the original method is not one")
        }
        return HTTPMethod(name)
    }

    private static func decimal(_ digits: ArraySlice<UInt8>) -> Int64? {
        guard digits.count <= 18, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return digits.reduce(0) { $0 * 10 + Int64($1 &- 0x30) }
    }
}

/// A request target in origin form (RFC 9112, section 3.2.1), as it stands in a field.
private struct Target {
    let path: [UInt8]
    let query: [UInt8]?

    init(path: [UInt8], query: [UInt8]?) {
        self.path = path
        self.query = query
    }

    init(_ text: ArraySlice<UInt8>, maxBytes: Int) throws(Refusal) {
        guard text.count <= maxBytes, text.allSatisfy({ $0 &- 0x21 < 0x5E && $0 != UInt8(ascii: "#") }) else {
            throw .gateway("the original path is not one of a request")
        }
        let mark = text.firstIndex(of: UInt8(ascii: "?"))
        path = Array(text[..<(mark ?? text.endIndex)])
        query = mark.map { Array(text[text.index(after: $0)...]) }
    }
}

extension Refusal {
    /// A request that another gateway would carry, and can't or must not; the reason is for the log.
    static func gateway(_ reason: String) -> Refusal {
        Refusal(error: S3Error(.accessDenied), outcome: .denied, reason: reason, failure: nil)
    }
}
