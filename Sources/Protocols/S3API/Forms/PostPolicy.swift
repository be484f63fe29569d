public import WireFormats

/// What the signer of a form permits its sender (S3 API reference, "Creating a POST Policy"): until when, and under which
/// conditions on the fields and the file. Everything in it must be understood.
public struct PostPolicy: Sendable {
    /// Of the decoded document.
    public static let maxBytes = 16 << 10
    private static let maxConditions = 200

    public let expiration: Instant
    private let conditions: [Condition]

    private enum Condition: Sendable {
        /// The name is in lower case.
        case equals(name: String, [UInt8])
        case startsWith(name: String, [UInt8])
        case length(ClosedRange<Int64>)
    }

    /// - Parameter field: base 64 as it was sent; that very text is what was signed.
    /// - Throws: `InvalidPolicyDocument`.
    public init(field: [UInt8]) throws(S3Error) {
        guard field.count <= Self.maxBytes * 4 / 3 + 4, let bytes = Base64.decode(field) else {
            throw Self.invalid("it is not base 64, or too long")
        }
        let document: StrictJSON
        do { document = try StrictJSON(parsing: bytes) } catch { throw Self.invalid("\(error.path): \(error.message)") }
        guard case .object(let members) = document else { throw Self.invalid("it is not an object") }
        var (expiration, conditions): (Instant?, [Condition]?) = (nil, nil)
        for (name, value) in members {
            switch (name, value) {
            case ("expiration", .string(let text)):
                guard let instant = Timestamp.parseISO8601(text.utf8) else {
                    throw Self.invalid("'expiration' is not a time in ISO 8601")
                }
                expiration = instant
            case ("conditions", .array(let elements)):
                guard elements.count <= Self.maxConditions else { throw Self.invalid("it has too many conditions") }
                conditions = []
                for element in elements { conditions?.append(try Self.condition(element)) }
            default: throw Self.invalid("unexpected: '\(name)'")
            }
        }
        guard let expiration else { throw Self.invalid("'expiration' is missing") }
        guard let conditions else { throw Self.invalid("'conditions' are missing") }
        self.expiration = expiration
        self.conditions = conditions
    }

    /// Whether the form is what the policy permits: every condition is met, and every field is the subject of one, the
    /// bucket included.
    ///
    /// - Throws: `AccessDenied`; `EntityTooLarge` and `EntityTooSmall` where it is the file's length.
    public func check(_ fields: FormFields, bucket: BucketName, length: Int64, at now: Instant) throws(S3Error) {
        guard now <= expiration else { throw Self.denied("Policy expired.") }
        var values: [String: [UInt8]] = [:]
        for field in fields.expanded { values[field.name] = field.value }
        values["bucket"] = Array(bucket.string.utf8)
        var covered: Set<String> = []
        for condition in conditions {
            switch condition {
            case .equals(let name, let wanted):
                covered.insert(name)
                guard (values[name] ?? []) == wanted else { throw Self.failed("[\"eq\", \"$\(name)\", ...]") }
            case .startsWith(let name, let prefix):
                covered.insert(name)
                guard Self.begins(values[name] ?? [], with: prefix, isList: name == "content-type") else {
                    throw Self.failed("[\"starts-with\", \"$\(name)\", ...]")
                }
            case .length(let range):
                guard length >= range.lowerBound else { throw S3Error(.entityTooSmall) }
                guard length <= range.upperBound else { throw S3Error(.entityTooLarge) }
            }
        }
        for name in values.keys.sorted() where !covered.contains(name) && !Self.isExempt(name) {
            throw Self.denied("Extra input fields: \(name)")
        }
    }

    private static func isExempt(_ name: String) -> Bool {
        switch name {
        case "x-amz-signature", "signature", "awsaccesskeyid", "policy", "file": true
        default: name.hasPrefix("x-ignore-")
        }
    }

    /// A Content-Type may be a list, and each of its entries must begin so.
    private static func begins(_ value: [UInt8], with prefix: [UInt8], isList: Bool) -> Bool {
        guard isList, value.contains(UInt8(ascii: ",")) else { return value.starts(with: prefix) }
        return value.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy {
            trimmedSpace($0).starts(with: prefix)
        }
    }

    // MARK: - Reading

    private static func condition(_ element: StrictJSON) throws(S3Error) -> Condition {
        switch element {
        case .object(let members):
            guard members.count == 1, let (name, value) = members.first, case .string(let text) = value else {
                throw invalid("a simple condition has exactly one property, a string")
            }
            return .equals(name: try fieldName(name), Array(text.utf8))
        case .array(let parts):
            guard parts.count == 3, case .string(let kind) = parts[0] else {
                throw invalid("a condition has an operator and two arguments")
            }
            return try condition(kind.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, parts[1], parts[2])
        default: throw invalid("a condition is an object or a list")
        }
    }

    private static func condition(
        _ kind: [UInt8],
        _ first: StrictJSON,
        _ second: StrictJSON
    ) throws(S3Error) -> Condition {
        if kind == Array("content-length-range".utf8) {
            guard let least = number(first), let most = number(second), least <= most else {
                throw invalid("content-length-range takes two numbers of bytes")
            }
            return .length(least...most)
        }
        guard case .string(let subject) = first, subject.utf8.first == UInt8(ascii: "$"),
            case .string(let text) = second
        else { throw invalid("a condition names a field as $name, and a string") }
        let name = try fieldName(String(subject.dropFirst()))
        if kind == Array("eq".utf8) { return .equals(name: name, Array(text.utf8)) }
        if kind == Array("starts-with".utf8) { return .startsWith(name: name, Array(text.utf8)) }
        throw invalid("a condition's operator is not known")
    }

    /// In lower case, as forms have them.
    private static func fieldName(_ name: String) throws(S3Error) -> String {
        guard (1...256).contains(name.utf8.count), name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw invalid("a field's name is not valid")
        }
        return String(decoding: name.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    /// Of bytes: digits alone, as a number or as a string.
    private static func number(_ value: StrictJSON) -> Int64? {
        let text: String
        switch value {
        case .number(let digits), .string(let digits): text = digits
        default: return nil
        }
        guard (1...18).contains(text.utf8.count), text.utf8.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else {
            return nil
        }
        return Int64(text)
    }

    private static func invalid(_ reason: String) -> S3Error {
        S3Error(.invalidPolicyDocument, "Invalid Policy: \(reason).")
    }

    private static func failed(_ condition: String) -> S3Error { denied("Policy Condition failed: \(condition)") }

    private static func denied(_ reason: String) -> S3Error {
        S3Error(.accessDenied, "Invalid according to Policy: \(reason)")
    }
}
