import HTTP1
import WireFormats

/// A request with every value that is as good as a credential replaced, so that what is computed from it can be shown.
struct MaskedRequest {
    let head: RequestHead
    /// Of what was replaced, in lower case.
    let names: [String]

    private static let secrets: Set<String> = [
        "authorization", "proxy-authorization", "cookie", "x-api-key", "x-amz-security-token", "gh-link",
        "x-gatehouse-gateway", "x-amz-server-side-encryption-customer-key",
        "x-amz-copy-source-server-side-encryption-customer-key",
    ]

    init(_ original: RequestHead) {
        var names: Set<String> = []
        var fields = FieldBlock()
        for entry in original.fields.entries {
            let name = String(decoding: original.fields.name(entry).map(lowered), as: UTF8.self)
            if Self.secrets.contains(name) {
                fields.append(name.utf8, "***".utf8)
                names.insert(name)
            } else {
                fields.append(entry, of: original.fields, lowercasing: .nothing)
            }
        }
        let items = (original.query ?? []).split(separator: UInt8(ascii: "&")).map { item in
            let raw = item.prefix { $0 != UInt8(ascii: "=") }
            let decoded = (try? PercentEncoding.decode(raw)) ?? Array(raw)
            let name = String(decoding: decoded.map(lowered), as: UTF8.self)
            guard Self.secrets.contains(name) else { return Array(item) }
            names.insert(name)
            return raw + Array("=***".utf8)
        }
        head = original.replacing(
            query: original.query.map { _ in Array(items.joined(separator: [UInt8(ascii: "&")])) },
            fields: fields
        )
        // The header that carries the signature is not part of what is signed.
        names.remove("authorization")
        self.names = names.sorted()
    }
}

extension RequestHead {
    func replacing(
        method: HTTPMethod? = nil,
        path: [UInt8]? = nil,
        query: [UInt8]?,
        fields: FieldBlock? = nil
    ) -> RequestHead {
        RequestHead(
            method: method ?? self.method,
            version: version,
            path: path ?? self.path,
            query: query,
            fields: fields ?? self.fields,
            framing: framing,
            keepAlive: keepAlive,
            expectsContinue: expectsContinue,
            host: host
        )
    }

    func without(field name: String) -> RequestHead {
        replacing(query: query, fields: fields.replacing(name, with: nil))
    }
}

extension FieldBlock {
    /// With another value for the fields of that name, given in lower case; nil: without them.
    func replacing(_ name: String, with value: [UInt8]?) -> FieldBlock {
        var result = FieldBlock()
        for entry in entries {
            if self.name(entry).lazy.map(lowered).elementsEqual(name.utf8) {
                if let value { result.append(name.utf8, value) }
            } else {
                result.append(entry, of: self, lowercasing: .nothing)
            }
        }
        return result
    }
}
