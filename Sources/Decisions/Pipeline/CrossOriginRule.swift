import HTTP1

/// One rule for pages of other origins.
public struct CrossOriginRule: Sendable {
    private let origins: [StarPattern]
    private let methods: [[UInt8]]
    private let headers: [StarPattern]
    private let allowedMethods: String
    private let exposed: String
    private let maxAge: String

    /// What scripts need to see of every answer of S3's, whether or not a rule says so.
    private static let alwaysExposed = [
        "ETag", "Location", "x-amz-request-id", "x-amz-version-id", "x-amz-checksum-crc32", "x-amz-checksum-crc32c",
        "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-type",
    ]

    /// - Parameters:
    ///   - origins: such as `https://app.example.com`, with at most one `*` each, or `*`.
    ///   - methods: in upper case.
    ///   - headers: names of request header fields, with at most one `*` each.
    ///   - exposed: names of answer header fields, besides those that always are.
    ///   - maxAge: how long a browser may rely on it; whole seconds count.
    public init(origins: [String], methods: [String], headers: [String], exposed: [String], maxAge: Duration) {
        self.origins = origins.map(StarPattern.init)
        self.methods = methods.map { Array($0.utf8) }
        self.headers = headers.map(StarPattern.init)
        allowedMethods = methods.joined(separator: ", ")
        let own = exposed.filter { name in
            !Self.alwaysExposed.contains { isSame(Array($0.utf8)[...], Array(name.utf8)[...]) }
        }
        self.exposed = (Self.alwaysExposed + own).joined(separator: ", ")
        self.maxAge = String(maxAge.components.seconds)
    }

    func allows(origin: ArraySlice<UInt8>) -> Bool { origins.contains { $0.matches(origin) } }

    func allows(method: [UInt8]) -> Bool { methods.contains(method) }

    /// The fields of an answer to a page of that origin, which the rule allows.
    func lines(for origin: ArraySlice<UInt8>) -> FieldBlock {
        var lines = FieldBlock(reservingBytes: 384, fields: 4)
        appendOrigin(origin, to: &lines)
        lines.append("access-control-expose-headers", exposed)
        return lines
    }

    /// The fields of the answer to a preflight; nil where the rule does not allow all of it.
    func lines(allowing preflight: PreflightFields) -> FieldBlock? {
        guard allows(origin: preflight.origin[...]), allows(method: preflight.method),
            preflight.headers.allSatisfy({ name in headers.contains { $0.matches(name) } })
        else { return nil }
        var lines = FieldBlock(reservingBytes: 512, fields: 8)
        appendOrigin(preflight.origin[...], to: &lines)
        lines.append("access-control-allow-methods", allowedMethods)
        if !preflight.headers.isEmpty {
            lines.append("access-control-allow-headers", Array(preflight.headers.joined(separator: ", ".utf8)))
        }
        lines.append("access-control-expose-headers", exposed)
        lines.append("access-control-max-age", maxAge)
        return lines
    }

    /// As S3 does: `*` where the rule is for everybody, and otherwise the origin by name, with leave to send credentials.
    private func appendOrigin(_ origin: ArraySlice<UInt8>, to lines: inout FieldBlock) {
        if origins.contains(where: \.isEverything) {
            lines.append("access-control-allow-origin", "*")
        } else {
            lines.append("access-control-allow-origin", origin)
            lines.append("access-control-allow-credentials", "true")
        }
    }
}

/// Text with at most one `*`, which stands for any bytes, none included. ASCII letters match in either case: origins
/// and field names have none that matters.
private struct StarPattern: Sendable {
    private let start: [UInt8]
    /// Nil: there is no `*`, and `start` is all.
    private let end: [UInt8]?

    init(_ text: String) {
        let bytes = text.utf8.map { lowered($0) }
        guard let star = bytes.firstIndex(of: UInt8(ascii: "*")) else {
            start = bytes
            end = nil
            return
        }
        start = Array(bytes[..<star])
        end = Array(bytes[(star + 1)...])
    }

    var isEverything: Bool { start.isEmpty && end?.isEmpty == true }

    func matches(_ text: ArraySlice<UInt8>) -> Bool {
        guard let end else { return isSame(text, start[...]) }
        return text.count >= start.count + end.count && isSame(text.prefix(start.count), start[...])
            && isSame(text.suffix(end.count), end[...])
    }
}
