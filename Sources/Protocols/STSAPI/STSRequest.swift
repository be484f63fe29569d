public import WireFormats

/// What a client asks of the Security Token Service (AWS STS API reference, version 2011-06-15). Read strictly: a
/// parameter that is missing, given twice, empty or not known is refused, because what is skipped might have narrowed what
/// is issued.
public enum STSRequest: Hashable, Sendable {
    case assumeRoleWithWebIdentity(role: RoleName, token: String, SessionWish)
    case assumeRole(role: RoleName, SessionWish)
    case getCallerIdentity

    /// The form's or query's items, signature parameters left out.
    public init(_ parameters: Query) throws(STSError) {
        var fields = try Fields(parameters)
        let action = try fields.take("Action", else: STSError(.missingAction))
        let known: [String]
        switch action {
        case "AssumeRoleWithWebIdentity":
            known = ["RoleArn", "RoleSessionName", "WebIdentityToken", "DurationSeconds", "Policy"]
        case "AssumeRole": known = ["RoleArn", "RoleSessionName", "DurationSeconds", "Policy"]
        case "GetCallerIdentity": known = []
        default: throw STSError(.invalidAction, "The action \(Fields.shown(action)) is not valid for this web service.")
        }
        let version = try fields.take("Version", else: .missing("Version"))
        guard version == Self.version else {
            throw STSError(.invalidAction, "The version \(Fields.shown(version)) is not known; it is \(Self.version).")
        }
        try fields.require(known)
        switch action {
        case "AssumeRoleWithWebIdentity":
            let arn = try fields.take("RoleArn", else: .missing("RoleArn"))
            let wish = try SessionWish(&fields)
            var token = try fields.take("WebIdentityToken", else: .missing("WebIdentityToken"))
            // What `echo` and editors leave at the end of a file: SDKs send the file as it is.
            while token.utf8.last == UInt8(ascii: "\n") || token.utf8.last == UInt8(ascii: "\r") {
                token.unicodeScalars.removeLast()
            }
            guard (4...20_000).contains(token.utf8.count) else {
                throw STSError(.validationError, "WebIdentityToken must have 4 to 20000 characters.")
            }
            self = .assumeRoleWithWebIdentity(role: try RoleName(arn), token: token, wish)
        case "AssumeRole":
            let role = try RoleName(try fields.take("RoleArn") ?? RoleName.own)
            self = .assumeRole(role: role, try SessionWish(&fields))
        default: self = .getCallerIdentity
        }
    }

    private static let version = "2011-06-15"

    /// A label of a closed list, for metrics and logs.
    public var name: StaticString {
        switch self {
        case .assumeRoleWithWebIdentity: "assume_role_with_web_identity"
        case .assumeRole: "assume_role"
        case .getCallerIdentity: "get_caller_identity"
        }
    }
}

/// The role that a client names: by its id, or by an ARN that ends in it, which SDKs insist on.
public enum RoleName: Hashable, Sendable {
    case role(String)
    /// No role: the caller's own rights.
    case caller

    /// What stands for the caller's own rights, where `RoleArn` can't be left out. No role can be called that.
    public static let own = "self"
    /// What other implementations' documents have their users write.
    private static let placeholder = "arn:xxx:xxx:xxx:xxxx"

    public init(_ text: String) throws(STSError) {
        let malformed = STSError(.validationError, "RoleArn is neither a role's id nor arn:aws:iam::ACCOUNT:role/ID.")
        guard text != Self.placeholder else {
            self = .caller
            return
        }
        var id = text[...]
        if text.hasPrefix("arn:") {
            let parts = text.split(separator: ":", maxSplits: 5, omittingEmptySubsequences: false)
            guard parts.count == 6, parts[1] == "aws", parts[2] == "iam", parts[3].isEmpty,
                parts[4].utf8.count == 12, parts[4].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
                parts[5].hasPrefix("role/")
            else { throw malformed }
            id = parts[5].dropFirst("role/".count)
        }
        guard Self.isID(id) else { throw malformed }
        self = id == Self.own ? .caller : .role(String(id))
    }

    /// 1 to 64 letters, digits and `_+=,.@-`, as IAM has them.
    public static func isID(_ text: some StringProtocol) -> Bool {
        (1...64).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
    }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "_+=,.@-".utf8.contains(byte)
        }
    }
}

/// What a session is asked to be.
public struct SessionWish: Hashable, Sendable {
    public static let durations = 900...43_200
    public static let standardDuration = 3600
    /// Of a session policy, in characters.
    public static let longestPolicy = 2048

    public let name: String
    /// Seconds; the standard where nothing is asked for.
    public let seconds: Int
    /// JSON, not yet read.
    public let policy: String?

    init(_ fields: inout Fields) throws(STSError) {
        name = try fields.take("RoleSessionName", else: .missing("RoleSessionName"))
        guard (2...64).contains(name.utf8.count), name.utf8.allSatisfy(RoleName.isNameByte) else {
            throw STSError(.validationError, "RoleSessionName must have 2 to 64 letters, digits or _+=,.@-")
        }
        if let text = try fields.take("DurationSeconds") {
            let isNumber = text.utf8.count <= 6 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
            guard isNumber, let number = Int(text), Self.durations.contains(number) else {
                throw STSError(.validationError, "DurationSeconds must be between 900 and 43200.")
            }
            seconds = number
        } else {
            seconds = Self.standardDuration
        }
        policy = try fields.take("Policy")
        if let policy, policy.unicodeScalars.count > Self.longestPolicy {
            throw STSError(.validationError, "Policy must have 2048 characters at most.")
        }
    }
}

/// The parameters by name, each once.
struct Fields {
    /// Known to AWS, and more than a word here: what is not heeded must not be taken.
    private static let unsupported: Set<String> = [
        "ExternalId", "PolicyArns", "ProviderId", "ProvidedContexts", "SerialNumber", "SourceIdentity", "Tags",
        "TokenCode", "TransitiveTagKeys",
    ]

    private var values: [String: String] = [:]

    init(_ query: Query) throws(STSError) {
        try query.forEach { (name, value, _) throws(STSError) in
            guard let name = String(validating: name, as: UTF8.self),
                let value = String(validating: value, as: UTF8.self)
            else { throw STSError(.validationError, "A parameter is not UTF-8.") }
            guard values.updateValue(value, forKey: name) == nil else {
                throw STSError(.invalidParameterCombination, "The parameter \(Self.shown(name)) is given twice.")
            }
        }
    }

    mutating func take(_ name: String) throws(STSError) -> String? {
        guard let value = values[name] else { return nil }
        guard !value.isEmpty else { throw STSError(.validationError, "\(name) must not be empty.") }
        return value
    }

    mutating func take(_ name: String, else missing: STSError) throws(STSError) -> String {
        guard let value = try take(name) else { throw missing }
        return value
    }

    /// Nothing is there that nobody asks for.
    func require(_ known: [String]) throws(STSError) {
        let rest = values.keys.filter { $0 != "Action" && $0 != "Version" && !known.contains($0) }
        guard let name = rest.sorted().first else { return }
        let base = String(name.prefix { $0 != "." })
        throw STSError(
            .validationError,
            Self.unsupported.contains(base)
                ? "\(base) is not supported here." : "The parameter \(Self.shown(name)) is not known."
        )
    }

    /// As an error quotes it: short and plain.
    static func shown(_ text: String) -> String {
        let plain = text.utf8.prefix(40).map { (0x21...0x7E).contains($0) ? $0 : UInt8(ascii: "?") }
        return "'" + String(decoding: plain, as: UTF8.self) + "'"
    }
}
