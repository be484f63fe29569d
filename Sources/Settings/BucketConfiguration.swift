import S3API

/// A virtual bucket: an entry of `[[buckets]]`, or a name in the `buckets` of an account.
package struct BucketConfiguration: Sendable {
    package enum PayloadVerification: String, CaseIterable, Sendable {
        /// Gatehouse compares a body with its signed hash itself.
        case always
        /// The store is trusted to.
        case backend
    }

    /// What the store is told of the checksums that clients give. They are verified in any case.
    package enum Checksums: String, CaseIterable, Sendable {
        /// Whatever it is known to understand.
        case auto
        /// All of them.
        case pass
        /// None.
        case verify
    }

    package enum FrameOptions: String, CaseIterable, Sendable {
        case deny = "DENY"
        case sameOrigin = "SAMEORIGIN"
    }

    /// As clients say it.
    package let name: String
    /// The account it takes its store from, or that names it.
    package let account: String?
    package let backend: BackendConfiguration
    /// What the bucket is called at the store.
    package let backendBucket: String
    /// Put before every key at the store, a slash between; without slashes around; empty: none.
    package let backendPrefix: String
    package let anonymousAccess: Bool
    /// Which STS roles may reach it: nil any, empty none.
    package let allowedRoles: [Located<String>]?
    package let payloadVerification: PayloadVerification
    package let checksums: Checksums
    package let frameOptions: FrameOptions
    package let cors: [CORSRule]
    /// Whether another bucket of this configuration lives in the same bucket of the same store, so that changing its
    /// settings would change the other's.
    package internal(set) var sharesBackendBucket = false
    package let origin: Origin

    /// A bucket that an account names.
    init(
        named name: String,
        of account: String,
        backend: BackendConfiguration,
        checksums: Checksums,
        origin: Origin
    ) {
        self.name = name
        self.account = account
        self.backend = backend
        self.origin = origin
        backendBucket = name
        backendPrefix = ""
        anonymousAccess = false
        allowedRoles = nil
        payloadVerification = .always
        self.checksums = checksums
        frameOptions = .deny
        cors = []
    }

    /// An entry of `[[buckets]]`; every option that it lacks is taken from its account.
    init?(reading section: Section, accounts: [AccountReading]) {
        let given = section.required("name")
        let isNew = given.map { Self.claim($0, section.reader) } ?? false
        let name = given.flatMap { Self.validName($0, section.reader) }
        let account = Self.account(section, among: accounts)
        let type = Self.type(section, account: account)
        var options = section.section("backend_options")
        if let account {
            // A key and its secret come from the same place, and whoever says how the key is had says all of it.
            let own = OptionNames.authentication.contains { $0 != "session_token" && options.has($0) }
            options = options.inheriting(
                from: account.options,
                except: ["bucket_name", "container_name"] + (own ? OptionNames.authentication : [])
            )
        }
        let bucketName = Self.backendBucket(options, calledBy: type?.type)
        let backend = type.flatMap { BackendConfiguration(type: $0, reading: options, owner: .bucket) }
        backendPrefix = Self.prefix(section)
        anonymousAccess = section.boolean("anonymous_access", or: false)
        allowedRoles = section.texts("allowed_roles")
        payloadVerification = section.choice("verify_payload", or: .always)
        checksums = section.choice("checksums", or: account?.checksums ?? .auto)
        frameOptions = section.choice("frame_options", or: .deny)
        cors = section.sections("cors", single: .accepted).map(CORSRule.init(reading:))
        origin = section.origin
        section.finish([
            "skip_signature": OptionNames.explained(for: .s3, owner: .bucket)["skip_signature"] ?? ""
        ])
        guard let name, let backend, isNew else { return nil }
        self.name = name
        self.account = account?.name.value
        self.backend = backend
        self.backendBucket = bucketName ?? name
    }

    /// Takes a name, or "*", for one entry; false, and a problem, where another has it.
    static func claim(_ name: Located<String>, _ reader: ConfigurationReader) -> Bool {
        reader.declare(
            name.value,
            as: .bucket,
            at: name.origin,
            (name.value == "*" ? "every other bucket" : "bucket \(quoted(name.value))") + " is claimed"
        )
    }

    /// A name that clients can say; nil after a problem was reported.
    static func validName(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        if BucketName(validating: text.value) != nil { return text.value }
        reader.report(
            "\(quoted(text.value)) is not a bucket name",
            at: text.origin,
            suggestion: "use 3 to 63 lower-case letters, digits, \"-\" and \".\""
        )
        return nil
    }

    private static func account(_ section: Section, among accounts: [AccountReading]) -> AccountReading? {
        guard let name = section.text("account") else { return nil }
        if let account = accounts.first(where: { $0.name.value == name.value }) { return account }
        section.reader.report(
            "there is no account \(quoted(name.value))",
            at: name.origin,
            suggestion: NearestName.find(for: name.value, among: accounts.map(\.name.value))
                .map { "did you mean \(quoted($0))?" }
        )
        return nil
    }

    private static func type(_ section: Section, account: AccountReading?) -> BackendType.Reading? {
        // Without the account it named, an entry's options are incomplete: nothing more can be said about them.
        if section.has("account"), account == nil { return nil }
        guard let account else { return BackendType.read(section) }
        guard section.has("backend_type") else {
            // What is wrong with the account's options was said there.
            return account.type.isNamed || section.has("backend_options") ? account.type : nil
        }
        let own = BackendType.read(section)
        let theirs = account.type
        if own.isNamed, theirs.isNamed, own.type != theirs.type {
            section.reader.report(
                "is \(quoted(own.type.rawValue)), but account \(quoted(account.name.value)) is "
                    + quoted(theirs.type.rawValue),
                at: section.place(of: "backend_type")
            )
            return nil
        }
        return own
    }

    private static func backendBucket(_ options: Section, calledBy type: BackendType?) -> String? {
        let option = type == .azure ? "container_name" : "bucket_name"
        guard options.has(option), let text = options.required(option) else { return nil }
        // Stores other than AWS allow names that AWS does not; nothing allows these.
        let isName =
            text.value.utf8.count <= 255 && text.value != "." && text.value != ".."
            && text.value.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/\\?#%\"<>{}|^`".utf8.contains($0) }
        guard isName else {
            options.reader.report("\(quoted(text.value)) is not the name of a bucket", at: text.origin)
            return nil
        }
        return text.value
    }

    /// `backend_prefix` without slashes around it.
    private static func prefix(_ section: Section) -> String {
        guard let text = section.text("backend_prefix") else { return "" }
        var segments = text.value.split(separator: "/", omittingEmptySubsequences: false)
        if segments.first == "" { segments.removeFirst() }
        if segments.last == "" { segments.removeLast() }
        let isFine =
            text.value.utf8.count <= 512
            && segments.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." }
            && text.value.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
        guard isFine else {
            section.reader.report(
                "\(quoted(text.value)) is not a prefix",
                at: text.origin,
                suggestion: "write it like \"team/v2\", without empty, \".\" or \"..\" segments"
            )
            return ""
        }
        return segments.joined(separator: "/")
    }
}
