public import HTTP1
public import WireFormats

/// Turns a request's head into one ``S3Request``, or refuses it. Fails closed: a query parameter or an `x-amz-` field
/// that is not known, is repeated, or does not belong to the operation is a refusal, never ignored and never sent on.
public enum S3Classifier {
    /// - Parameters:
    ///   - address: of the same head.
    ///   - query: of the same head, parsed.
    ///   - rules: which keys may be copied from; those of ``address`` have been checked.
    /// - Throws: `NotImplemented` (501) for what is not understood, `MethodNotAllowed`, `MissingContentLength`,
    ///   `InvalidArgument`, `InvalidRequest`, `MaxMessageLengthExceeded`.
    public static func classify(
        _ head: RequestHead,
        _ address: S3Address,
        _ query: Query,
        rules: KeyRules = .standard
    ) throws(S3Error) -> S3Request {
        try ConnectionOptions.check(head.fields)
        let parameters = try RequestParameters(query)
        let fields = try RequestFields(
            head.fields,
            parameters.hasHoistedFields ? query : nil,
            version2: parameters.isVersion2,
            rules: rules
        )
        let operation = try operation(head.method, address, parameters, copies: fields.copySource != nil)
        guard parameters.versionID == nil || operation.parameters.contains(.versionID) else {
            throw S3Error(.invalidArgument, "This operation does not accept a version-id.")
        }
        guard parameters.present.isSubset(of: operation.parameters) else {
            throw S3Error(.notImplemented, "A query parameter that does not belong to this operation was given.")
        }
        if operation == .uploadPart || operation == .uploadPartCopy, !parameters.present.contains(.partNumber) {
            throw S3Error(.invalidArgument, "This operation needs a part number.")
        }
        if fields.isCopyOnly && fields.copySource == nil {
            throw S3Error(.notImplemented, "Fields of a copy were given without x-amz-copy-source.")
        }
        try fields.check(for: operation)
        try WriteConditions.check(head, for: operation)
        try checkBody(of: operation, head)
        var actions = operation.actions
        actions.formUnion(fields.actions(for: operation))
        if parameters.versionID != nil { actions.formUnion(operation.versionActions) }
        return S3Request(
            operation: operation,
            address: address,
            query: query,
            actions: actions,
            versionID: parameters.versionID,
            copySource: fields.copySource,
            hasCustomerKey: fields.haveCustomerKey
        )
    }

    private static func operation(
        _ method: HTTPMethod,
        _ address: S3Address,
        _ parameters: RequestParameters,
        copies: Bool
    ) throws(S3Error) -> S3Operation {
        let found: S3Operation? =
            switch address {
            case .service: method == .get && parameters.subresource == nil ? .listBuckets : nil
            case .bucket: bucketOperation(method, parameters)
            case .object: objectOperation(method, parameters, copies: copies)
            }
        guard let found else {
            guard parameters.subresource == nil else {
                throw S3Error(.notImplemented, "This subresource is not known for this method and resource.")
            }
            throw S3Error(.methodNotAllowed)
        }
        guard !copies || found == .copyObject || found == .uploadPartCopy else {
            throw S3Error(.notImplemented, "x-amz-copy-source does not belong to this operation.")
        }
        return found
    }

    private static func bucketOperation(_ method: HTTPMethod, _ parameters: RequestParameters) -> S3Operation? {
        switch (method, parameters.subresource) {
        case (.get, nil): parameters.present.contains(.listType) ? .listObjectsV2 : .listObjects
        case (.head, nil): .headBucket
        case (.put, nil): .createBucket
        case (.delete, nil): .deleteBucket
        case (.post, nil): .postObject
        case (.post, .delete): .deleteObjects
        case (.get, .location): .getBucketLocation
        case (.get, .versions): .listObjectVersions
        case (.get, .uploads): .listMultipartUploads
        case (.get, .versioning): .getBucketVersioning
        case (.put, .versioning): .putBucketVersioning
        case (.get, .tagging): .getBucketTagging
        case (.put, .tagging): .putBucketTagging
        case (.delete, .tagging): .deleteBucketTagging
        case (.get, .acl): .getBucketACL
        case (.put, .acl): .putBucketACL
        case (.get, .cors): .getBucketCORS
        case (.put, .cors): .putBucketCORS
        case (.delete, .cors): .deleteBucketCORS
        case (.get, .lifecycle): .getBucketLifecycle
        case (.put, .lifecycle): .putBucketLifecycle
        case (.delete, .lifecycle): .deleteBucketLifecycle
        case (.get, .policy): .getBucketPolicy
        case (.put, .policy): .putBucketPolicy
        case (.delete, .policy): .deleteBucketPolicy
        case (.get, .policyStatus): .getBucketPolicyStatus
        case (.get, .notification): .getBucketNotification
        case (.put, .notification): .putBucketNotification
        case (.get, .objectLock): .getBucketObjectLock
        case (.put, .objectLock): .putBucketObjectLock
        case (.get, .encryption): .getBucketEncryption
        case (.put, .encryption): .putBucketEncryption
        case (.delete, .encryption): .deleteBucketEncryption
        case (.get, .website): .getBucketWebsite
        case (.put, .website): .putBucketWebsite
        case (.delete, .website): .deleteBucketWebsite
        case (.get, .ownershipControls): .getBucketOwnership
        case (.put, .ownershipControls): .putBucketOwnership
        case (.delete, .ownershipControls): .deleteBucketOwnership
        case (.get, .publicAccessBlock): .getPublicAccessBlock
        case (.put, .publicAccessBlock): .putPublicAccessBlock
        case (.delete, .publicAccessBlock): .deletePublicAccessBlock
        case (.get, .replication): .getBucketReplication
        case (.get, .logging): .getBucketLogging
        case (.get, .requestPayment): .getBucketRequestPayment
        case (.get, .accelerate): .getBucketAccelerate
        default: nil
        }
    }

    private static func objectOperation(
        _ method: HTTPMethod,
        _ parameters: RequestParameters,
        copies: Bool
    ) -> S3Operation? {
        switch (method, parameters.subresource) {
        case (.get, nil): .getObject
        case (.head, nil): .headObject
        case (.put, nil): copies ? .copyObject : .putObject
        case (.delete, nil): .deleteObject
        case (.post, .uploads): .createMultipartUpload
        case (.put, .uploadID): copies ? .uploadPartCopy : .uploadPart
        case (.get, .uploadID): .listParts
        case (.post, .uploadID): .completeMultipartUpload
        case (.delete, .uploadID): .abortMultipartUpload
        case (.get, .tagging): .getObjectTagging
        case (.put, .tagging): .putObjectTagging
        case (.delete, .tagging): .deleteObjectTagging
        case (.get, .acl): .getObjectACL
        case (.put, .acl): .putObjectACL
        case (.get, .retention): .getObjectRetention
        case (.put, .retention): .putObjectRetention
        case (.get, .legalHold): .getObjectLegalHold
        case (.put, .legalHold): .putObjectLegalHold
        case (.get, .attributes): .getObjectAttributes
        case (.post, .select): .selectObjectContent
        case (.post, .restore): .restoreObject
        default: nil
        }
    }

    private static func checkBody(of operation: S3Operation, _ head: RequestHead) throws(S3Error) {
        switch (operation.bodyHandling, head.framing) {
        case (.none, .none), (.none, .length(0)): return
        case (.none, _): throw S3Error(.invalidRequest, "This operation takes no request body.")
        case (.stream, .length): return
        // An aws-chunked body tells the object's length itself.
        case (.stream, .chunked) where head.fields.first("x-amz-decoded-content-length") != nil: return
        case (.stream, _): throw S3Error(.missingContentLength)
        case (.collect(let limit), .length(let length)):
            guard length <= Int64(limit) else { throw S3Error(.maxMessageLengthExceeded) }
        case (.collect, .chunked), (.collect, .none): return
        case (.collect, .untilClose): throw S3Error(.missingContentLength)
        }
    }
}
