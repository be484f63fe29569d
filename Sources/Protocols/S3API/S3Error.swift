/// A refusal in S3's own terms: a code of a closed list, and optionally a detail that is safe to show to the client.
public struct S3Error: Error, Hashable, Sendable {
    public let code: Code
    /// Replaces the code's message where something more precise can be said; never names a backend or a secret.
    public let detail: String?
    /// Seconds for the `Retry-After` field.
    public let retryAfter: Int?

    public init(_ code: Code, _ detail: String? = nil, retryAfter: Int? = nil) {
        self.code = code
        self.detail = detail
        self.retryAfter = retryAfter
    }

    public var status: Int { code.status }
    public var message: String { detail ?? code.message }

    /// There is no connection to the store: whoever asks again may get through.
    public static let unreachableStore = S3Error(
        .serviceUnavailable,
        "The store behind this bucket cannot be reached.",
        retryAfter: 1
    )
}

extension S3Error {
    /// The codes Gatehouse answers with on its own account (S3 API reference, "List of error codes"), and those of
    /// stores that it recognises.
    public enum Code: CaseIterable, Hashable, Sendable {
        case accessControlListNotSupported, accessDenied, accessForbidden, authorizationHeaderMalformed
        case authorizationQueryParametersError
        case backendAuthFailed, backendCredentialUnavailable, backendRedirected, backendTimeout,
            backendBadAnswer
        case badDigest, badRequest, bucketAlreadyExists, bucketAlreadyOwnedByYou, bucketNotEmpty
        case entityTooLarge, entityTooSmall, expiredToken, incompleteBody, internalError
        case invalidAccessKeyID, invalidAPIKey, invalidArgument, invalidBearerToken, invalidBucketName,
            invalidBucketState, invalidDigest
        case invalidLocationConstraint, invalidObjectState, invalidPart, invalidPartOrder, invalidRange
        case invalidRequest, invalidSecurity, invalidStorageClass, invalidTag, invalidToken, invalidURI
        case keyTooLong, malformedPolicy, malformedTrailer, malformedXML, maxMessageLengthExceeded, metadataTooLarge
        case methodNotAllowed, missingAuthenticationToken, missingContentLength, missingSecurityHeader
        case noSuchBucket, noSuchBucketPolicy, noSuchCORSConfiguration, noSuchKey
        case noSuchLifecycleConfiguration, noSuchTagSet
        case noSuchUpload, noSuchVersion, notImplemented, notModified, operationAborted
        case preconditionFailed, proxyOnly, requestHeaderSectionTooLarge, requestTimeTooSkewed, requestTimeout
        case serviceUnavailable, signatureDoesNotMatch, slowDown, tooManyRequests, unresolvableGrant
        case contentSHA256Mismatch
        // Of forms.
        case incorrectNumberOfFiles, invalidPolicyDocument, malformedPOSTRequest, maxPostPreDataLengthExceeded
    }
}

extension S3Error.Code {
    /// The code as written in the answer.
    public var name: String {
        switch self {
        case .accessControlListNotSupported: "AccessControlListNotSupported"
        case .accessDenied: "AccessDenied"
        case .accessForbidden: "AccessForbidden"
        case .authorizationHeaderMalformed: "AuthorizationHeaderMalformed"
        case .authorizationQueryParametersError: "AuthorizationQueryParametersError"
        case .backendAuthFailed: "BackendAuthFailed"
        case .backendCredentialUnavailable: "BackendCredentialUnavailable"
        case .backendRedirected: "BackendRedirected"
        case .backendTimeout: "BackendTimeout"
        case .backendBadAnswer: "BackendBadAnswer"
        case .badDigest: "BadDigest"
        case .badRequest: "BadRequest"
        case .bucketAlreadyExists: "BucketAlreadyExists"
        case .bucketAlreadyOwnedByYou: "BucketAlreadyOwnedByYou"
        case .bucketNotEmpty: "BucketNotEmpty"
        case .entityTooLarge: "EntityTooLarge"
        case .entityTooSmall: "EntityTooSmall"
        case .expiredToken: "ExpiredToken"
        case .incompleteBody: "IncompleteBody"
        case .internalError: "InternalError"
        case .invalidAccessKeyID: "InvalidAccessKeyId"
        case .invalidAPIKey: "InvalidApiKey"
        case .invalidArgument: "InvalidArgument"
        case .invalidBearerToken: "InvalidBearerToken"
        case .invalidBucketName: "InvalidBucketName"
        case .invalidBucketState: "InvalidBucketState"
        case .invalidDigest: "InvalidDigest"
        case .invalidLocationConstraint: "InvalidLocationConstraint"
        case .invalidObjectState: "InvalidObjectState"
        case .invalidPart: "InvalidPart"
        case .invalidPartOrder: "InvalidPartOrder"
        case .invalidRange: "InvalidRange"
        case .invalidRequest: "InvalidRequest"
        case .invalidSecurity: "InvalidSecurity"
        case .invalidStorageClass: "InvalidStorageClass"
        case .invalidTag: "InvalidTag"
        case .invalidToken: "InvalidToken"
        case .invalidURI: "InvalidURI"
        case .keyTooLong: "KeyTooLongError"
        case .malformedPolicy: "MalformedPolicy"
        case .malformedTrailer: "MalformedTrailerError"
        case .malformedXML: "MalformedXML"
        case .maxMessageLengthExceeded: "MaxMessageLengthExceeded"
        case .metadataTooLarge: "MetadataTooLarge"
        case .methodNotAllowed: "MethodNotAllowed"
        case .missingAuthenticationToken: "MissingAuthenticationToken"
        case .missingContentLength: "MissingContentLength"
        case .missingSecurityHeader: "MissingSecurityHeader"
        case .noSuchBucket: "NoSuchBucket"
        case .noSuchBucketPolicy: "NoSuchBucketPolicy"
        case .noSuchCORSConfiguration: "NoSuchCORSConfiguration"
        case .noSuchKey: "NoSuchKey"
        case .noSuchLifecycleConfiguration: "NoSuchLifecycleConfiguration"
        case .noSuchTagSet: "NoSuchTagSet"
        case .noSuchUpload: "NoSuchUpload"
        case .noSuchVersion: "NoSuchVersion"
        case .notImplemented: "NotImplemented"
        case .notModified: "NotModified"
        case .operationAborted: "OperationAborted"
        case .preconditionFailed: "PreconditionFailed"
        case .proxyOnly: "ProxyOnly"
        case .requestHeaderSectionTooLarge: "RequestHeaderSectionTooLarge"
        case .requestTimeTooSkewed: "RequestTimeTooSkewed"
        case .requestTimeout: "RequestTimeout"
        case .serviceUnavailable: "ServiceUnavailable"
        case .signatureDoesNotMatch: "SignatureDoesNotMatch"
        case .slowDown: "SlowDown"
        case .tooManyRequests: "SlowDown"
        case .unresolvableGrant: "UnresolvableGrantByEmailAddress"
        case .contentSHA256Mismatch: "XAmzContentSHA256Mismatch"
        case .incorrectNumberOfFiles: "IncorrectNumberOfFilesInPostRequest"
        case .invalidPolicyDocument: "InvalidPolicyDocument"
        case .malformedPOSTRequest: "MalformedPOSTRequest"
        case .maxPostPreDataLengthExceeded: "MaxPostPreDataLengthExceeded"
        }
    }

    public var status: Int {
        switch self {
        case .notModified: 304
        case .accessControlListNotSupported, .authorizationHeaderMalformed, .authorizationQueryParametersError,
            .badDigest, .badRequest, .entityTooLarge, .entityTooSmall, .expiredToken, .incompleteBody, .invalidArgument,
            .invalidBucketName, .invalidDigest,
            .invalidLocationConstraint, .invalidPart, .invalidPartOrder, .invalidRequest, .invalidStorageClass,
            .invalidTag, .invalidToken, .invalidURI, .keyTooLong, .malformedPolicy, .malformedTrailer, .malformedXML,
            .maxMessageLengthExceeded, .metadataTooLarge, .missingSecurityHeader, .requestHeaderSectionTooLarge,
            .requestTimeout, .unresolvableGrant, .contentSHA256Mismatch:
            400
        case .incorrectNumberOfFiles, .invalidPolicyDocument, .malformedPOSTRequest, .maxPostPreDataLengthExceeded: 400
        case .invalidAPIKey, .invalidBearerToken: 401
        case .accessDenied, .accessForbidden, .invalidAccessKeyID, .invalidObjectState, .invalidSecurity,
            .missingAuthenticationToken,
            .requestTimeTooSkewed, .signatureDoesNotMatch:
            403
        case .noSuchBucket, .noSuchBucketPolicy, .noSuchCORSConfiguration, .noSuchKey,
            .noSuchLifecycleConfiguration, .noSuchTagSet, .noSuchUpload, .noSuchVersion:
            404
        case .methodNotAllowed: 405
        case .bucketAlreadyExists, .bucketAlreadyOwnedByYou, .bucketNotEmpty, .invalidBucketState, .operationAborted,
            .proxyOnly:
            409
        case .missingContentLength: 411
        case .preconditionFailed: 412
        case .invalidRange: 416
        case .tooManyRequests: 429
        case .internalError: 500
        case .notImplemented: 501
        case .backendAuthFailed, .backendRedirected, .backendBadAnswer: 502
        case .backendCredentialUnavailable, .serviceUnavailable, .slowDown: 503
        case .backendTimeout: 504
        }
    }

    /// What the client reads where nothing more precise is said.
    public var message: String {
        switch self {
        case .accessControlListNotSupported: "The bucket does not allow ACLs."
        case .accessDenied: "Access Denied"
        case .accessForbidden: "CORSResponse: This CORS request is not allowed."
        case .authorizationHeaderMalformed: "The authorization header that you provided is not valid."
        case .authorizationQueryParametersError: "The query parameters that carry the signature are not valid."
        case .backendCredentialUnavailable:
            "The gateway has no credential for the store behind this bucket at the moment."
        case .backendAuthFailed: "The store behind this bucket did not accept the gateway's credential."
        case .backendRedirected: "The store behind this bucket answered with a redirect."
        case .backendTimeout: "The store behind this bucket did not answer in time."
        case .backendBadAnswer: "The store behind this bucket gave an answer that cannot be understood."
        case .badDigest: "The Content-MD5 or checksum value that you specified did not match what was received."
        case .badRequest: "Bad Request"
        case .bucketAlreadyExists: "The requested bucket name is not available."
        case .bucketAlreadyOwnedByYou: "The bucket that you tried to create already exists, and you own it."
        case .bucketNotEmpty: "The bucket that you tried to delete is not empty."
        case .entityTooLarge: "Your proposed upload exceeds the maximum allowed object size."
        case .entityTooSmall: "Your proposed upload is smaller than the minimum allowed object size."
        case .expiredToken: "The provided token has expired."
        case .incompleteBody: "You did not provide the number of bytes specified by the Content-Length HTTP header."
        case .internalError: "An internal error occurred. Try again."
        case .invalidAPIKey: "The API key is not valid."
        case .invalidBearerToken: "The token is not valid here."
        case .invalidAccessKeyID: "The access key ID that you provided does not exist in our records."
        case .invalidArgument: "Invalid Argument"
        case .invalidBucketName: "The specified bucket is not valid."
        case .invalidBucketState: "The request is not valid for the current state of the bucket."
        case .invalidDigest: "The Content-MD5 or checksum value that you specified is not valid."
        case .invalidLocationConstraint: "The specified location constraint is not valid."
        case .invalidObjectState: "The operation is not valid for the current state of the object."
        case .invalidPart: "One or more of the specified parts could not be found."
        case .invalidPartOrder: "The list of parts was not in ascending order."
        case .invalidRange: "The requested range cannot be satisfied."
        case .invalidRequest: "Invalid Request"
        case .invalidSecurity: "The provided security credentials are not valid."
        case .invalidStorageClass: "The storage class that you specified is not valid."
        case .invalidTag: "Your request contains tag input that is not valid."
        case .invalidToken: "The provided token is malformed or otherwise not valid."
        case .invalidURI: "The specified URI couldn't be parsed."
        case .keyTooLong: "Your key is too long."
        case .malformedPolicy: "Your policy contains a principal or element that is not valid."
        case .malformedTrailer:
            "The request contained trailing data that was not well-formed or did not conform to what was announced."
        case .malformedXML: "The XML that you provided was not well formed or did not validate against our schema."
        case .maxMessageLengthExceeded: "Your request was too large."
        case .metadataTooLarge: "Your metadata headers exceed the maximum allowed metadata size."
        case .methodNotAllowed: "The specified method is not allowed against this resource."
        case .missingAuthenticationToken: "The request must contain a credential."
        case .missingContentLength: "You must provide the Content-Length HTTP header."
        case .missingSecurityHeader: "Your request is missing a required header."
        case .noSuchBucket: "The specified bucket does not exist."
        case .noSuchBucketPolicy: "The specified bucket does not have a bucket policy."
        case .noSuchCORSConfiguration: "The CORS configuration does not exist."
        case .noSuchKey: "The specified key does not exist."
        case .noSuchLifecycleConfiguration: "The specified lifecycle configuration does not exist."
        case .noSuchTagSet: "There is no tag set associated with the bucket."
        case .noSuchUpload:
            "The specified multipart upload does not exist. The upload ID might not be valid, or the multipart upload "
                + "might have been aborted or completed."
        case .noSuchVersion: "The specified version does not exist."
        case .notImplemented: "A parameter or header that you provided implies functionality that is not implemented."
        case .notModified: "Not Modified"
        case .operationAborted: "A conflicting conditional operation is in progress against this resource. Try again."
        case .preconditionFailed: "At least one of the preconditions that you specified did not hold."
        case .proxyOnly: "What permits this request cannot be carried by a signed URL."
        case .requestHeaderSectionTooLarge: "Your request header section exceeds the maximum allowed size."
        case .requestTimeTooSkewed: "The difference between the request time and the server's time is too large."
        case .requestTimeout: "Your socket connection to the server was not read from or written to in time."
        case .serviceUnavailable: "Service is unable to handle the request."
        case .signatureDoesNotMatch:
            "The request signature that we calculated does not match the signature that you provided. Check your key "
                + "and signing method."
        case .slowDown, .tooManyRequests: "Please reduce your request rate."
        case .unresolvableGrant: "The email address that you provided does not match any account on record."
        case .contentSHA256Mismatch:
            "The provided 'x-amz-content-sha256' header does not match what was computed."
        case .incorrectNumberOfFiles: "POST requires exactly one file upload per request."
        case .invalidPolicyDocument: "The content of the form does not meet the conditions of the policy document."
        case .malformedPOSTRequest: "The body of your POST request is not well-formed multipart/form-data."
        case .maxPostPreDataLengthExceeded: "Your POST request fields preceding the upload file were too large."
        }
    }

    /// The code of that name; of the two `SlowDown`s the 503, which stores answer with. Nil: not in the list.
    public init?(named name: String) {
        guard let code = Self.byName[name] else { return nil }
        self = code
    }

    private static let byName: [String: Self] = Dictionary(
        allCases.filter { $0 != .tooManyRequests }.map { ($0.name, $0) },
        uniquingKeysWith: { first, _ in first }
    )
}
