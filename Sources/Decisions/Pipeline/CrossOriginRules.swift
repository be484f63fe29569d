public import HTTP1
import S3API
import WireFormats

/// What pages of other origins may do with a bucket or with our own paths: ordered rules, of which the first that
/// matches counts (Fetch standard, "CORS protocol"; S3 User Guide, "Using cross-origin resource sharing").
public struct CrossOriginRules: Sendable {
    private let rules: [CrossOriginRule]

    /// Nil where there are none.
    public init?(_ rules: [CrossOriginRule]) {
        guard !rules.isEmpty else { return nil }
        self.rules = rules
    }

    /// What the answer to a request, whatever it turns out to be, carries for the browser.
    func fields(for head: RequestHead) -> CrossOriginFields {
        guard head.fields.count(of: "origin") == 1, let origin = head.fields.first("origin") else { return .varying }
        let method = Array(head.method.name.utf8)
        guard let rule = rules.first(where: { $0.allows(origin: origin) && $0.allows(method: method) }) else {
            return .varying
        }
        return CrossOriginFields(rule.lines(for: origin))
    }

    /// The answer to a browser that asks before its page does.
    ///
    /// - Throws: `AccessForbidden` where no rule allows all that is asked for.
    func preflight(_ preflight: PreflightFields) throws(S3Error) -> Reply {
        for rule in rules {
            if let lines = rule.lines(allowing: preflight) { return Reply(status: 200, fields: lines) }
        }
        throw S3Error(
            .accessForbidden,
            "CORSResponse: This CORS request is not allowed. No rule of the bucket allows this origin, method and these "
                + "headers together."
        )
    }
}

/// Fields for the browser on an answer that is otherwise complete: `access-control-...`, and `vary`, which has to stand
/// on every answer of a bucket with rules so that caches do not give one origin's answer to another.
public struct CrossOriginFields: Sendable {
    private let lines: FieldBlock

    init(_ lines: FieldBlock) { self.lines = lines }

    /// Where no origin is allowed anything, or none asked.
    static let varying = CrossOriginFields(FieldBlock(bytes: [], entries: []))

    private static let vary = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"]

    /// `fields` with these: what a store said of `vary` is kept and completed; what it said of other origins is not.
    public func added(to fields: FieldBlock) -> FieldBlock {
        var all = FieldBlock(
            reservingBytes: fields.bytes.count + lines.bytes.count + 128,
            fields: fields.entries.count + lines.entries.count + 1
        )
        var varying: [ArraySlice<UInt8>] = []
        for entry in fields.entries {
            if fields.isNamed(entry, "vary") {
                varying += fields.value(entry).split(separator: UInt8(ascii: ",")).map(trimmed)
            } else if !fields.hasPrefix(entry, "access-control-") || lines.entries.isEmpty {
                all.append(entry, of: fields, lowercasing: .nothing)
            }
        }
        for entry in lines.entries { all.append(entry, of: lines, lowercasing: .nothing) }
        if varying.contains(where: { $0.elementsEqual("*".utf8) }) {
            all.append("vary", "*")
        } else {
            let names = Self.vary.map { Array($0.utf8)[...] }
            let others = varying.filter { name in !name.isEmpty && !names.contains { isSame($0, name) } }
            all.append("vary", Array((others + names).joined(separator: ", ".utf8)))
        }
        return all
    }
}

/// What a preflight asks for.
struct PreflightFields: Sendable {
    let origin: [UInt8]
    let method: [UInt8]
    /// The names of header fields, as sent; empty: none.
    let headers: [ArraySlice<UInt8>]
    /// The value they stood in.
    let headerList: [UInt8]?

    /// - Throws: `BadRequest` for what is no preflight.
    init(_ head: RequestHead) throws(S3Error) {
        guard head.fields.count(of: "origin") == 1, let origin = head.fields.first("origin"), !origin.isEmpty else {
            throw S3Error(.badRequest, "Insufficient information. Origin request header needed.")
        }
        guard head.fields.count(of: "access-control-request-method") == 1,
            let method = head.fields.first("access-control-request-method"), !method.isEmpty
        else {
            throw S3Error(.badRequest, "Invalid Access-Control-Request-Method: one method is needed.")
        }
        guard head.fields.count(of: "access-control-request-headers") <= 1 else {
            throw S3Error(.badRequest, "Access-Control-Request-Headers was given more than once.")
        }
        self.origin = Array(origin)
        self.method = Array(method)
        let list = head.fields.first("access-control-request-headers")
        headerList = list.map { Array($0) }
        headers = (list ?? []).split(separator: UInt8(ascii: ",")).map(trimmed).filter { !$0.isEmpty }
    }
}

func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    let start = value.drop { $0 == 0x20 || $0 == 0x09 }
    guard let last = start.lastIndex(where: { $0 != 0x20 && $0 != 0x09 }) else { return [] }
    return start[...last]
}

/// Without regard to the case of ASCII letters.
func isSame(_ one: ArraySlice<UInt8>, _ other: ArraySlice<UInt8>) -> Bool {
    one.count == other.count && zip(one, other).allSatisfy { lowered($0) == lowered($1) }
}
