import S3API
import WireFormats

/// An identity policy in the language of AWS IAM, compiled (IAM User Guide, "IAM JSON policy elements reference"):
/// `Version` "2012-10-17", `Id`, and statements of `Sid`, `Effect`, `Action` or `NotAction`, `Resource` or
/// `NotResource`, and `Condition`. Whom it applies to is said outside of it (`applies_to`).
///
/// What isn't understood is refused when the document is loaded, never skipped: a skipped condition of a denial would
/// permit, a skipped statement too.
public struct PolicyDocument: Sendable {
    /// In bytes. As large as IAM allows a bucket policy to be.
    public static let maximumSize = 20 * 1024

    public let id: String?
    private var statements: [PolicyStatement]

    /// - Throws: The first ``PolicyLoadError``, with its place.
    public init(parsing bytes: some Collection<UInt8>) throws(PolicyLoadError) {
        guard bytes.count <= Self.maximumSize else {
            throw PolicyLoadError("$", "the document is larger than \(Self.maximumSize / 1024) KiB")
        }
        let json: StrictJSON
        do {
            json = try StrictJSON(parsing: bytes)
        } catch {
            throw PolicyLoadError(error.path, error.message)
        }
        let document = PolicyElement(json, at: "$")
        let members = try document.members(known: ["Version", "Id", "Statement"])
        guard let version = members["Version"] else {
            throw PolicyLoadError("$.Version", "\"Version\": \"2012-10-17\" is missing")
        }
        guard try version.string() == "2012-10-17" else {
            throw PolicyLoadError("$.Version", "only version \"2012-10-17\" is supported")
        }
        id = try members["Id"].map { (id) throws(PolicyLoadError) in try id.string() }
        guard let statement = members["Statement"] else {
            throw PolicyLoadError("$.Statement", "there is no statement")
        }
        var statements: [PolicyStatement] = []
        var sids: Set<String> = []
        for element in try statement.oneOrMore() {
            let statement = try PolicyStatement(element)
            if let sid = statement.sid, !sids.insert(sid).inserted {
                throw PolicyLoadError(element.path + ".Sid", "another statement has the same Sid")
            }
            statements.append(statement)
        }
        self.statements = statements
    }

    /// The same for other objects in the same request of the same caller: what is the same for all of them was looked at.
    func settled(for question: AccessQuestion, _ values: (RequestValue) -> [[UInt8]]) -> PolicyDocument {
        var document = self
        document.statements = statements.compactMap { $0.settled(for: question, values) }
        return document
    }

    /// What the statements say: a denial of any of the actions, else the actions that are permitted.
    func ruling(
        on question: AccessQuestion,
        named name: String,
        _ values: (RequestValue) -> [[UInt8]]
    ) -> PolicyRuling {
        var ruling = PolicyRuling()
        // Written out once, and only for a statement that is about one of the actions.
        var written: [UInt8]?
        for statement in statements {
            let concerned = statement.actions.intersection(question.actions)
            guard !concerned.isEmpty else { continue }
            let resource = written ?? question.target.resource
            written = resource
            let applies = statement.applies(to: resource, question, values)
            switch statement.effect {
            case .deny where applies != .no:
                ruling.deniedBy = name
                return ruling
            case .allow where applies == .yes:
                ruling.allowed.formUnion(concerned)
                ruling.allowedBy = name
            case .allow, .deny:
                continue
            }
        }
        return ruling
    }
}

extension AccessQuestion.Target {
    /// What follows `arn:aws:s3:::`; empty for the service, which only `*` matches.
    fileprivate var resource: [UInt8] {
        switch self {
        case .service: []
        case .bucket(let name), .listing(let name, _): Array(name.utf8)
        case .object(let name, let key): Array(name.utf8) + [UInt8(ascii: "/")] + key.bytes
        }
    }
}
