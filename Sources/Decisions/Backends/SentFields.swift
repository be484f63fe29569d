import HTTP1
import S3API
import WireFormats

/// A client's fields for a store that speaks another language: names in lower case, those that its SDK moved into the
/// signed query among them, and a body's own encoding without `aws-chunked`.
struct SentFields: Sendable {
    private let fields: FieldBlock

    init(_ head: RequestHead, _ query: Query) {
        var fields = FieldBlock(reservingBytes: 512, fields: 16)
        for entry in head.fields.entries { fields.append(entry, of: head.fields, lowercasing: .name) }
        query.forEach { name, value, _ in
            let isField = AmzField(name: name) != nil || isUserMetadata(name)
            if isField, !head.fields.holds(name, value) { fields.appendLowered(name, value) }
        }
        self.fields = fields
    }

    func first(_ name: StaticString) -> ArraySlice<UInt8>? { fields.first(name) }
    func string(_ name: StaticString) -> String? { fields.string(name) }

    var contentEncoding: [UInt8]? {
        guard let value = first("content-encoding") else { return nil }
        let rest = withoutAWSChunked(value)
        return rest.isEmpty ? nil : rest
    }

    /// What follows `x-amz-meta-`, and the value.
    var userMetadata: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] {
        fields.entries.compactMap { entry in
            guard isUserMetadata(fields.name(entry)) else { return nil }
            return (fields.name(entry).dropFirst("x-amz-meta-".utf8.count), fields.value(entry))
        }
    }

    /// Refuses what was asked for and would be lost: nothing is dropped in silence.
    ///
    /// - Parameter store: its name, for the message.
    /// - Throws: `NotImplemented`, `InvalidStorageClass`, `AccessControlListNotSupported`.
    func refuseWhatIsLost(at store: String) throws(S3Error) {
        for entry in fields.entries {
            guard let field = AmzField(name: fields.name(entry)) else { continue }
            let value = fields.value(entry)
            switch field {
            case .acl:
                guard value.elementsEqual("private".utf8) || value.elementsEqual("bucket-owner-full-control".utf8)
                else { throw S3Error(.accessControlListNotSupported) }
            case .grantFullControl, .grantRead, .grantReadACP, .grantWrite, .grantWriteACP:
                throw S3Error(.accessControlListNotSupported)
            case .storageClass:
                guard value.elementsEqual("STANDARD".utf8) else { throw S3Error(.invalidStorageClass) }
            // What these stores do in any case.
            case .encryption where value.elementsEqual("AES256".utf8): continue
            case .taggingDirective where value.elementsEqual("COPY".utf8): continue
            case .tagging, .objectLockMode, .objectLockRetainUntil, .objectLockLegalHold, .bypassGovernance,
                .websiteRedirect, .encryption, .encryptionKeyID, .encryptionContext, .encryptionBucketKey,
                .customerAlgorithm, .customerKey, .customerKeyMD5, .mfa, .expectedBucketOwner, .taggingDirective,
                .copySourceCustomerAlgorithm, .copySourceCustomerKey, .copySourceCustomerKeyMD5,
                .sourceExpectedBucketOwner, .optionalObjectAttributes:
                throw S3Error(.notImplemented, "\(store) has no like of \(field.rawValue).")
            default: continue
            }
        }
    }
}

extension FieldBlock {
    /// Appends a field under its name in lower case.
    mutating func appendLowered(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
        append(name.lazy.map { lowered($0) }, value)
    }
}
