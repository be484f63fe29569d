package import Identity
package import WireFormats

/// `backend_type` and `backend_options`: a store and how it is reached.
package enum BackendConfiguration: Sendable {
    /// `backend_type = "s3"`.
    case s3(S3Connection)
    /// `backend_type = "gcs"` or `"gs"`.
    case gcs(GoogleConnection)
    /// `backend_type = "azure"`.
    case azure(AzureConnection)
    /// `backend_type = "file"`: the embedded store over a folder, as written (relative to the working directory).
    case file(path: String)
}

/// An S3-compatible store.
package struct S3Connection: NetworkConnection {
    package enum Addressing: String, CaseIterable, Sendable {
        case path, virtual
    }

    package var endpoint: PublicURL
    package var region: String
    package var addressing = Addressing.path
    package var authentication = StoreAuthentication.none
    package var connectTimeout = Duration.seconds(5)
    package var responseTimeout = Duration.seconds(60)
    package var maxConnections = 512
    package var caCertificate: String?
    package var publicEndpoint: PublicURL?
}

extension S3Connection {
    /// The key that stands in the configuration; nil: there is none, or it is obtained.
    package var credential: BackendCredential? {
        if case .keys(let credential) = authentication { credential } else { nil }
    }

    package var isSigned: Bool { if case .none = authentication { false } else { true } }

    /// Whether requests carry a session's token beside their signature.
    package var hasSessionToken: Bool {
        switch authentication {
        case .none: false
        case .keys(let credential): credential.sessionToken != nil
        case .obtained: true
        }
    }
}

/// What requests to a store are signed with.
package struct BackendCredential: Sendable {
    package let accessKeyID: String
    package let secretAccessKey: Secret<String>
    package let sessionToken: Secret<String>?
}

extension BackendConfiguration {
    /// Nil: the credential stands in the configuration, or there is none.
    package var credentialSource: CredentialSource? {
        switch self {
        case .s3(let connection): if case .obtained(let source) = connection.authentication { source } else { nil }
        case .azure(let connection): connection.source
        case .gcs(let connection): connection.source
        case .file: nil
        }
    }

    /// Where what signs URLs is obtained, where it is something else than what goes along with requests.
    package var urlSource: CredentialSource? {
        if case .azure(let connection) = self { connection.delegation } else { nil }
    }
}

/// What kind of store a `backend_type` names; `az` and `gs` are other names for two of them.
enum BackendType: String, CaseIterable {
    case s3, file, azure, az, gcs, gs
}

extension BackendConfiguration {
    /// Whose options are read: an account's buckets are called the same at the store, a bucket's need not be.
    enum Owner { case account, bucket }

    /// Reads `backend_options`, also where `backend_type` is wrong, so that all problems are said; nil after one was.
    init?(type reading: BackendType.Reading, reading options: Section, owner: Owner) {
        // What else would be required, nobody knows who does not know the kind.
        guard reading.isNamed || !options.names.isEmpty else { return nil }
        guard let read = Self(type: reading.type, reading: options, owner: owner), reading.isNamed else { return nil }
        self = read
    }

    private init?(type: BackendType, reading options: Section, owner: Owner) {
        switch type {
        case .s3:
            guard let connection = S3Connection(reading: options, owner: owner) else { return nil }
            self = .s3(connection)
        case .file:
            let path = options.required("path", "is required where backend_type is \"file\"")
            if owner == .bucket { _ = options.value("bucket_name") }
            options.finish(OptionNames.explained(for: .file, owner: owner))
            guard let path else { return nil }
            self = .file(path: options.reader.located(path))
        case .gcs, .gs:
            guard let connection = GoogleConnection(reading: options, owner: owner) else { return nil }
            self = .gcs(connection)
        case .azure, .az:
            guard let connection = AzureConnection(reading: options, owner: owner) else { return nil }
            self = .azure(connection)
        }
    }
}

extension S3Connection {
    private static let standardRegion = "us-east-1"

    fileprivate init?(reading options: Section, owner: BackendConfiguration.Owner) {
        let givenRegion = options.has("region") ? options.required("region")?.value : nil
        let endpoint = Self.endpoint(options, region: givenRegion)
        let authentication = StoreAuthentication(reading: options, region: givenRegion ?? Self.standardRegion)
        if owner == .bucket { _ = options.value("bucket_name") }
        self.init(
            endpoint: endpoint ?? PublicURL(scheme: .https, host: "s3.us-east-1.amazonaws.com"),
            region: givenRegion ?? Self.standardRegion,
            addressing: options.choice("addressing", or: .path),
            authentication: authentication
        )
        readNetwork(options)
        options.finish(OptionNames.explained(for: .s3, owner: owner))
        guard endpoint != nil else { return nil }
    }

    /// The endpoint as given, or AWS's for the region.
    private static func endpoint(_ options: Section, region: String?) -> PublicURL? {
        if options.has("endpoint") {
            guard let text = options.required("endpoint") else { return nil }
            return options.parsed(
                "endpoint",
                expected:
                    "the URL of a store such as \"https://s3.us-east-1.amazonaws.com\" (http or https, no path or query)",
                PublicURL.init(parsing:)
            ).flatMap { text.value.isEmpty ? nil : $0 }
        }
        guard let region else {
            options.reader.report(
                "is required",
                at: options.place(of: "endpoint"),
                suggestion: "give the store's URL, or a region for AWS's own endpoint"
            )
            return nil
        }
        let domain = region.hasPrefix("cn-") ? "amazonaws.com.cn" : "amazonaws.com"
        guard let url = PublicURL(parsing: "https://s3.\(region).\(domain)") else {
            options.reader.report("\(quoted(region)) is not a region", at: options.place(of: "region"))
            return nil
        }
        return url
    }
}
