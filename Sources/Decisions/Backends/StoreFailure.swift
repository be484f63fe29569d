public import S3API
import WireFormats

/// A store's refusal or failure, as the client shall see it, and what the log shall say besides.
public struct StoreFailure: Sendable {
    /// What an operator has to do with it.
    public enum Cause: Hashable, Sendable {
        /// The client's own request: nothing to do.
        case request
        /// The store didn't accept our credential: to be logged, and the credential renewed.
        case credential
        /// The store sent us elsewhere: the configured region or endpoint is wrong. The region where it was named.
        case redirect(region: String?)
        /// The store is in trouble, or what answered is no store.
        case store
    }

    public let status: Int
    /// S3's code: one of ours, or one that only the store knows, which is passed on.
    public let code: String
    /// Safe to show: a message of the store is dropped where it names what lies behind the gateway.
    public let message: String
    /// What S3 tells beside the message, as far as it is safe to show.
    public let details: [(name: StaticString, value: String)]
    /// As the store sent it, at most 10 digits.
    public let retryAfter: Int?
    public let cause: Cause
    /// The store's own code, for the log.
    public let storeCode: String?

    public init(_ error: S3Error, cause: Cause, storeCode: String? = nil) {
        status = error.status
        code = error.code.name
        message = error.message
        details = []
        retryAfter = error.retryAfter
        self.cause = cause
        self.storeCode = storeCode
    }

    private init(
        status: Int,
        code: String,
        message: String,
        details: [(name: StaticString, value: String)],
        retryAfter: Int?,
        cause: Cause,
        storeCode: String
    ) {
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retryAfter = retryAfter
        self.cause = cause
        self.storeCode = storeCode
    }
}

extension StoreFailure {
    /// A failure from the store's status and error document.
    ///
    /// - Parameters:
    ///   - status: 400...599, or 200 for a failure that was told inside a success.
    ///   - secrets: texts that a message must not contain to be passed on: names behind the gateway.
    init(status: Int, document: [UInt8], address: S3Address, retryAfter: Int?, secrets: [String]) {
        let root = document.isEmpty ? nil : try? XMLReader.parse(document, forbidden: .replaced, maxElements: 100)
        guard let root, root.name == "Error", let code = root.value("Code"), Self.isCode(code) else {
            self.init(status: status, address: address, retryAfter: retryAfter)
            return
        }
        if Self.credentialCodes.contains(code) {
            self.init(S3Error(.backendAuthFailed), cause: .credential, storeCode: code)
            return
        }
        if Self.redirectCodes.contains(code) {
            let region = root.value("Region")
            self.init(S3Error(.backendRedirected), cause: .redirect(region: region), storeCode: code)
            return
        }
        let known = S3Error.Code(named: code)
        let failed = status < 400 ? known?.status ?? 500 : status
        let told = root.value("Message") ?? ""
        let isSafe = { (text: String) in
            failed < 500 && !text.isEmpty && text.utf8.count <= 512
                && !secrets.contains { !$0.isEmpty && text.contains($0) }
        }
        self.init(
            status: failed,
            code: code,
            message: isSafe(told) ? told : known?.message ?? "The store behind this bucket refused the request.",
            details: Self.detailNames.compactMap { name in
                root.value(name.description).flatMap { isSafe($0) ? (name, $0) : nil }
            },
            retryAfter: retryAfter,
            cause: failed >= 500 && failed != 501 ? .store : .request,
            storeCode: code
        )
    }

    /// A failure from the status alone: the answer to a HEAD, or of something that is no S3 store.
    init(status: Int, address: S3Address, retryAfter: Int?) {
        let code: S3Error.Code
        switch status {
        case 304: code = .notModified
        case 400: code = .invalidRequest
        case 401, 407:
            self.init(S3Error(.backendAuthFailed), cause: .credential)
            return
        case 403: code = .accessDenied
        case 404: code = address.key == nil ? .noSuchBucket : .noSuchKey
        case 405: code = .methodNotAllowed
        case 409: code = .operationAborted
        case 411: code = .missingContentLength
        case 412: code = .preconditionFailed
        case 413: code = .entityTooLarge
        case 416: code = .invalidRange
        case 429, 503:
            self.init(S3Error(.slowDown, retryAfter: retryAfter), cause: .store)
            return
        case 500:
            self.init(S3Error(.internalError), cause: .store)
            return
        case 501: code = .notImplemented
        case 504:
            self.init(S3Error(.backendTimeout), cause: .store)
            return
        default:
            self.init(S3Error(.backendBadAnswer), cause: .store)
            return
        }
        self.init(S3Error(code), cause: .request)
    }

    /// Letters, digits, dots and hyphens: what a code may look like to be shown.
    private static func isCode(_ code: String) -> Bool {
        (1...64).contains(code.utf8.count)
            && code.utf8.allSatisfy { byte in
                (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: ".")
                    || byte == UInt8(ascii: "-")
            }
    }

    /// The elements of S3's errors that are about the request or the object (S3 API reference, "Error responses").
    private static let detailNames: [StaticString] = [
        "StorageClass", "AccessTier", "Condition", "ArgumentName", "ArgumentValue", "RangeRequested",
        "ActualObjectSize", "VersionId", "UploadId", "PartNumber", "ETag", "Method", "ResourceType", "Header",
        "MinSizeAllowed", "MaxSizeAllowed", "ProposedSize", "ExpectedDigest", "CalculatedDigest",
    ]

    /// What stores say about the credential or the signature that came with a request: ours, always.
    private static let credentialCodes: Set<String> = [
        "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "ExpiredTokenException", "InvalidToken",
        "InvalidClientTokenId", "TokenRefreshRequired", "RequestTimeTooSkewed", "RequestExpired", "InvalidSecurity",
        "MissingSecurityHeader", "MissingSecurityElement", "MissingAuthenticationToken", "UnrecognizedClientException",
        "AccountProblem", "AllAccessDisabled", "NotSignedUp", "CredentialsNotSupported", "NoSuchAccessKey",
        "AuthorizationQueryParametersError", "IncompleteSignature", "UserSuspended",
    ]

    /// What stores say when the request belongs elsewhere; a wrong region in the signature's scope among it.
    private static let redirectCodes: Set<String> = [
        "PermanentRedirect", "TemporaryRedirect", "Redirect", "AuthorizationHeaderMalformed",
        "IllegalLocationConstraintException", "IncorrectEndpoint",
    ]
}
