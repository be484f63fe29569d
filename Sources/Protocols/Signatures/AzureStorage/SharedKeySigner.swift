import Crypto
public import HTTP1
public import WireFormats

/// Signs requests to Azure's storage with an account's key (Microsoft, "Authorize with Shared Key", the format for
/// versions since 2015-02-21). The signature is bound to method, path, query, and the fields named there.
public struct SharedKeySigner: Sendable {
    public let account: String
    let key: SymmetricKey

    /// Nil where the key is no base64.
    public init?(account: String, key: Secret<String>) {
        guard let bytes = Base64.decode(Array(key.reveal().utf8)), !bytes.isEmpty else { return nil }
        self.account = account
        self.key = SymmetricKey(data: bytes)
    }

    /// Adds `x-ms-date` and `authorization`. The request has its `x-ms-version` and its framing, names in lower case.
    ///
    /// Returns the string that was signed.
    @discardableResult
    public func sign(_ request: inout OutgoingRequest, at now: Instant) -> String {
        assert(request.fields.count(of: "x-ms-date") + request.fields.count(of: "authorization") == 0, "signed twice")
        request.fields.append("x-ms-date", Timestamp.http(now))
        let text = stringToSign(request)
        request.fields.append("authorization", "SharedKey \(account):" + signature(of: text))
        return text
    }

    func signature(of text: String) -> String {
        Base64.encode(Array(HMAC<SHA256>.authenticationCode(for: Array(text.utf8), using: key)))
    }

    private func stringToSign(_ request: OutgoingRequest) -> String {
        var lines = [request.method.name]
        for name in Self.names {
            let value = request.fields.string(name) ?? ""
            // Versions since 2015-02-21 want a length of nothing unsaid.
            lines.append(name.description == "content-length" && value == "0" ? "" : value)
        }
        lines += own(request.fields)
        lines.append("/" + account + String(decoding: request.path, as: UTF8.self))
        lines += parameters(request.query)
        return lines.joined(separator: "\n")
    }

    private static let names: [StaticString] = [
        "content-encoding", "content-language", "content-length", "content-md5", "content-type", "date",
        "if-modified-since", "if-match", "if-none-match", "if-unmodified-since", "range",
    ]

    private func own(_ fields: FieldBlock) -> [String] {
        fields.entries.filter { fields.hasPrefix($0, "x-ms-") }
            .map { (name: Array(fields.name($0)), value: fields.value($0)) }
            .sorted { Self.order($0.name).lexicographicallyPrecedes(Self.order($1.name)) }
            .map { String(decoding: $0.name, as: UTF8.self) + ":" + String(decoding: $0.value, as: UTF8.self) }
    }

    /// The service sorts names as text of a language: hyphens don't count, underscores come before digits, those before
    /// letters.
    private static func order(_ name: [UInt8]) -> [UInt8] {
        name.compactMap { byte in
            switch byte {
            case UInt8(ascii: "-"): nil
            case UInt8(ascii: "_"): 1
            default: byte
            }
        }
    }

    /// Decoded, names in lower case, sorted.
    private func parameters(_ query: [UInt8]) -> [String] {
        guard !query.isEmpty, let query = try? Query(parsing: query) else { return [] }
        return query.items
            .map { (String(decoding: $0.name, as: UTF8.self).lowercased(), String(decoding: $0.value, as: UTF8.self)) }
            .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
            .map { "\($0.0):\($0.1)" }
    }
}
