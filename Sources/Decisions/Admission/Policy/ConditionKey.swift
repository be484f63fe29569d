/// What a condition can ask about: the closed list of condition keys (AWS global condition context keys; Service
/// Authorization Reference, "Condition keys for Amazon S3"). Names are compared without regard to case.
public enum ConditionKey: String, CaseIterable, Sendable {
    /// The name of an API-key user or an access key's principal; absent for everyone else.
    case username = "aws:username"
    /// The caller's typed identity: `user:alice`, `key:build`, `anonymous`.
    case userID = "aws:userid"
    case sourceIP = "aws:SourceIp"
    case currentTime = "aws:CurrentTime"
    case epochTime = "aws:EpochTime"
    case secureTransport = "aws:SecureTransport"
    case userAgent = "aws:UserAgent"
    case referer = "aws:Referer"
    case prefix = "s3:prefix"
    case delimiter = "s3:delimiter"
    case maxKeys = "s3:max-keys"
    case versionID = "s3:VersionId"
    case acl = "s3:x-amz-acl"
    case grantRead = "s3:x-amz-grant-read"
    case grantWrite = "s3:x-amz-grant-write"
    case grantReadACP = "s3:x-amz-grant-read-acp"
    case grantWriteACP = "s3:x-amz-grant-write-acp"
    case grantFullControl = "s3:x-amz-grant-full-control"
    case copySource = "s3:x-amz-copy-source"
    case metadataDirective = "s3:x-amz-metadata-directive"
    case serverSideEncryption = "s3:x-amz-server-side-encryption"
    case encryptionKeyID = "s3:x-amz-server-side-encryption-aws-kms-key-id"
    case storageClass = "s3:x-amz-storage-class"
    case contentSHA256 = "s3:x-amz-content-sha256"
    case objectLockMode = "s3:object-lock-mode"
    case ifMatch = "s3:if-match"
    case ifNoneMatch = "s3:if-none-match"

    init?(named name: String) {
        let wanted = name.lowercased()
        guard let key = Self.allCases.first(where: { $0.rawValue.lowercased() == wanted }) else { return nil }
        self = key
    }

    /// Where the value of a key comes from.
    enum Source: Sendable {
        case caller
        case address
        case clock
        case transport
        case listing
        /// Of the object that is asked for, wherever the request names it.
        case version
        case request(RequestValue)
    }

    var source: Source {
        switch self {
        case .username, .userID: .caller
        case .sourceIP: .address
        case .currentTime, .epochTime: .clock
        case .secureTransport: .transport
        case .prefix: .listing
        case .delimiter: .request(.query("delimiter"))
        case .maxKeys: .request(.query("max-keys"))
        case .versionID: .version
        case .userAgent: .request(.client("user-agent"))
        case .referer: .request(.client("referer"))
        case .acl: .request(.header("x-amz-acl"))
        case .grantRead: .request(.header("x-amz-grant-read"))
        case .grantWrite: .request(.header("x-amz-grant-write"))
        case .grantReadACP: .request(.header("x-amz-grant-read-acp"))
        case .grantWriteACP: .request(.header("x-amz-grant-write-acp"))
        case .grantFullControl: .request(.header("x-amz-grant-full-control"))
        case .copySource: .request(.header("x-amz-copy-source"))
        case .metadataDirective: .request(.header("x-amz-metadata-directive"))
        case .serverSideEncryption: .request(.header("x-amz-server-side-encryption"))
        case .encryptionKeyID: .request(.header("x-amz-server-side-encryption-aws-kms-key-id"))
        case .storageClass: .request(.header("x-amz-storage-class"))
        case .contentSHA256: .request(.header("x-amz-content-sha256"))
        case .objectLockMode: .request(.header("x-amz-object-lock-mode"))
        case .ifMatch: .request(.header("if-match"))
        case .ifNoneMatch: .request(.header("if-none-match"))
        }
    }

    /// Which operators can compare the key's values, besides `Null`.
    var families: Set<ConditionOperator.Family> {
        switch self {
        case .sourceIP: [.address]
        case .currentTime: [.date]
        case .epochTime: [.date, .numeric]
        case .secureTransport: [.bool]
        case .maxKeys: [.numeric]
        default: [.string]
        }
    }

    /// Whether `${...}` may stand for the key's value.
    var isVariable: Bool {
        switch self {
        case .username, .userID, .prefix: true
        default: false
        }
    }
}

/// A part of a request that conditions look at, by name in lower case; the shell looks it up when a policy asks.
public enum RequestValue: Hashable, Sendable {
    /// What is said about the object.
    case header(StaticString)
    /// A header that tells of who asks, whatever for.
    case client(StaticString)
    /// Of the query, decoded.
    case query(StaticString)

    public static func == (left: RequestValue, right: RequestValue) -> Bool {
        switch (left, right) {
        case (.header(let left), .header(let right)), (.client(let left), .client(let right)),
            (.query(let left), .query(let right)):
            left.description == right.description
        case (.header, _), (.client, _), (.query, _): false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .header(let name), .client(let name), .query(let name): hasher.combine(name.description)
        }
    }
}
