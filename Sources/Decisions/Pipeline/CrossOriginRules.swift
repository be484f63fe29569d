public import HTTP1
public import S3API
import WireFormats

/// What pages of other origins may do with a bucket or with our own paths, as configured at the gateway: the first rule that
/// matches counts (Fetch standard, "CORS protocol").
public struct CrossOriginRules: Sendable {
    private let configuration: CORSConfiguration

    /// What scripts need to see of every answer of S3's, whether or not a rule says so.
    private static let alwaysExposed =
        ["ETag", "Location", "x-amz-request-id", "x-amz-version-id", "x-amz-checksum-type"]
        + ChecksumAlgorithm.allCases.map { "\($0.header)" }

    /// The same where no rule allows it, where there are no rules, and where there is no bucket.
    static let notAllowed = S3Error(
        .accessForbidden,
        "CORSResponse: This CORS request is not allowed. No rule allows this origin, method and these headers together."
    )

    /// Nil where there are none.
    public init?(_ rules: [CORSConfiguration.Rule]) {
        guard !rules.isEmpty else { return nil }
        configuration = CORSConfiguration(rules: rules.map { $0.exposing(Self.alwaysExposed) })
    }

    /// What the answer to a request, whatever it turns out to be, carries for the browser.
    func fields(for head: RequestHead) -> CrossOriginFields {
        guard head.fields.count(of: "origin") == 1, let origin = head.fields.first("origin"),
            let rule = configuration.rule(origin: origin, method: head.method.name.utf8)
        else { return .varying }
        var lines = FieldBlock(reservingBytes: 512, fields: 6)
        rule.append(to: &lines, origin: origin)
        return CrossOriginFields(lines)
    }

    /// The answer to a browser that asks before its page does.
    ///
    /// - Throws: `AccessForbidden` where no rule allows all that is asked for.
    func preflight(_ preflight: CORSConfiguration.Preflight) throws(S3Error) -> Reply {
        guard let rule = configuration.rule(for: preflight) else { throw Self.notAllowed }
        var reply = Reply(status: 200, fields: FieldBlock(reservingBytes: 512, fields: 8))
        rule.append(to: &reply.fields, preflight)
        return reply
    }
}

extension CORSConfiguration.Rule {
    /// The same rule, with these fields exposed besides its own.
    fileprivate func exposing(_ names: [String]) -> CORSConfiguration.Rule {
        let own = exposedHeaders.filter { name in
            !names.contains { isSame(Array($0.utf8)[...], Array(name.utf8)[...]) }
        }
        return CORSConfiguration.Rule(
            id: id,
            allowedOrigins: allowedOrigins,
            allowedMethods: allowedMethods,
            allowedHeaders: allowedHeaders,
            exposedHeaders: names + own,
            maxAgeSeconds: maxAgeSeconds
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

    /// `fields` with these: what a store said of `vary` is kept and completed; what it said of other origins is not.
    public func added(to fields: FieldBlock) -> FieldBlock {
        var all = FieldBlock(
            reservingBytes: fields.bytes.count + lines.bytes.count + 128,
            fields: fields.entries.count + lines.entries.count + 1
        )
        var varying = Varying()
        for entry in fields.entries {
            if fields.isNamed(entry, "vary") {
                varying.add(fields.value(entry))
            } else if !fields.hasPrefix(entry, "access-control-") || lines.entries.isEmpty {
                all.append(entry, of: fields, lowercasing: .nothing)
            }
        }
        for entry in lines.entries { all.append(entry, of: lines, lowercasing: .nothing) }
        all.append("vary", varying.joined(with: CORSConfiguration.vary))
        return all
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
