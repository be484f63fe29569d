import HTTP1
import S3API
import WireFormats

extension StoreFailure {
    /// A refusal of Azure's, from its head: the code is there too, also where there is no body (Microsoft, "Status and
    /// error codes", "Blob Storage error codes"). Its own words are not passed on: they name account and container.
    init(azure head: ResponseHead, address: S3Address) {
        let code = head.fields.string("x-ms-error-code")
        let retryAfter = head.fields.first("retry-after").flatMap { decimal($0) }
        guard (400...599).contains(head.status) else {
            self.init(S3Error(.backendRedirected), cause: .redirect(region: nil), storeCode: code)
            return
        }
        guard let code, let meaning = Self.azure[code] else {
            self.init(status: head.status, address: address, retryAfter: retryAfter)
            return
        }
        let cause: Cause =
            switch meaning {
            case .backendAuthFailed: .credential
            case .slowDown, .internalError, .serviceUnavailable, .backendTimeout: .store
            default: .request
            }
        self.init(
            S3Error(meaning, retryAfter: meaning == .slowDown ? retryAfter : nil),
            cause: cause,
            storeCode: code
        )
    }

    /// Whether it was a blob that is not there, and not its container.
    static func isMissingBlob(_ head: ResponseHead) -> Bool {
        head.status == 404 && head.fields.string("x-ms-error-code") ?? "BlobNotFound" == "BlobNotFound"
    }

    private static let azure: [String: S3Error.Code] = [
        "BlobNotFound": .noSuchKey, "ContainerNotFound": .noSuchBucket, "ContainerBeingDeleted": .noSuchBucket,
        "ContainerDisabled": .noSuchBucket,
        // Conditions.
        "ConditionNotMet": .preconditionFailed, "TargetConditionNotMet": .preconditionFailed,
        "SourceConditionNotMet": .preconditionFailed, "CopySourceConditionNotMet": .preconditionFailed,
        "BlobAlreadyExists": .preconditionFailed, "InvalidRange": .invalidRange,
        // Bodies.
        "Md5Mismatch": .badDigest, "Crc64Mismatch": .badDigest, "InvalidMd5": .invalidDigest,
        "RequestBodyTooLarge": .entityTooLarge, "MetadataTooLarge": .metadataTooLarge,
        "InvalidMetadata": .invalidArgument, "EmptyMetadataKey": .invalidArgument,
        "MissingContentLengthHeader": .missingContentLength,
        // Blocks.
        "InvalidBlockList": .invalidPart, "InvalidBlockId": .invalidPart, "InvalidBlobOrBlock": .invalidPart,
        "BlockCountExceedsLimit": .invalidRequest, "BlockListTooLong": .invalidRequest,
        // Names.
        "InvalidUri": .invalidURI, "InvalidResourceName": .invalidURI, "OutOfRangeInput": .keyTooLong,
        // What holds a blob fast.
        "LeaseIdMissing": .operationAborted, "LeaseAlreadyPresent": .operationAborted,
        "LeaseLost": .operationAborted, "PendingCopyOperation": .operationAborted,
        "SnapshotsPresent": .operationAborted, "InvalidBlobType": .invalidRequest,
        "BlobImmutableDueToPolicy": .accessDenied, "BlobArchived": .invalidObjectState,
        "BlobBeingRehydrated": .invalidObjectState, "UnauthorizedBlobOverwrite": .accessDenied,
        // What our credential may not, and that it is none.
        "AuthorizationPermissionMismatch": .accessDenied, "InsufficientAccountPermissions": .accessDenied,
        "AuthorizationFailure": .accessDenied, "PublicAccessNotPermitted": .accessDenied,
        "AuthenticationFailed": .backendAuthFailed, "InvalidAuthenticationInfo": .backendAuthFailed,
        "NoAuthenticationInformation": .backendAuthFailed, "KeyBasedAuthenticationNotPermitted": .backendAuthFailed,
        "AccountIsDisabled": .backendAuthFailed, "AuthorizationProtocolMismatch": .backendAuthFailed,
        "InvalidAuthenticationParameters": .backendAuthFailed,
        // The store.
        "ServerBusy": .slowDown, "OperationTimedOut": .backendTimeout, "InternalError": .internalError,
    ]
}
