public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension AzureBackend {
    /// A shared access signature: with the account's key, or one that a bearer was issued. It reads; or it writes once,
    /// where what was written is looked at afterwards.
    public func presign(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query,
        fields: FieldBlock,
        binding: FieldBinding,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> PresignedRequest? {
        let permission: SharedAccessSignature.Permission
        var overrides = SharedAccessSignature.Overrides()
        switch method {
        // The permission that lets somebody look at a blob lets them read it.
        case .head: return nil
        case .get:
            guard fields.entries.isEmpty, let told = Self.overrides(query) else { return nil }
            permission = .read
            overrides = told
        case .put:
            guard query.isEmpty, binding == .checkedAfterwards || fields.entries.isEmpty else { return nil }
            // What is there already is not written over.
            permission = binding == .checkedAfterwards ? .create : .write
        case .delete:
            guard query.isEmpty, fields.entries.isEmpty else { return nil }
            permission = .delete
        default: return nil
        }
        let place = publicEndpoint ?? endpoint
        let end = Instant(secondsSince1970: now.secondsSince1970) + lifetime
        let path = try path(key)
        let signature = signature(permission, try stored(key), until: end, overrides, over: place.transport)
        guard let signed = signedQuery(signature, until: end) else { return nil }
        let url = place.description + String(decoding: path, as: UTF8.self) + "?" + signed.text
        return PresignedRequest(url: url, fields: method == .put ? Self.translated(fields) : fields)
    }

    /// Nil where nothing can sign it for so long.
    private func signedQuery(_ signature: SharedAccessSignature, until end: Instant) -> Query? {
        switch credential {
        case .sharedKey(let signer): return signature.query(signedBy: signer)
        case .bearer(_, let key?):
            guard let last = key.end, end <= last else { return nil }
            return signature.query(signedBy: key)
        case .bearer(_, nil), .anonymous: return nil
        }
    }

    /// Nil for what Azure can't say instead.
    private static func overrides(_ query: Query) -> SharedAccessSignature.Overrides? {
        var overrides = SharedAccessSignature.Overrides()
        for item in query.items {
            let value = String(decoding: item.value, as: UTF8.self)
            switch String(decoding: item.name, as: UTF8.self) {
            case "response-cache-control": overrides.cacheControl = value
            case "response-content-disposition": overrides.contentDisposition = value
            case "response-content-encoding": overrides.contentEncoding = value
            case "response-content-language": overrides.contentLanguage = value
            case "response-content-type": overrides.contentType = value
            default: return nil
            }
        }
        return overrides
    }

    /// What a client has to send with a Put Blob of its own.
    private static func translated(_ fields: FieldBlock) -> FieldBlock {
        var translated = FieldBlock()
        translated.append("x-ms-blob-type", "BlockBlob")
        for entry in fields.entries {
            let name = fields.name(entry)
            if isUserMetadata(name) {
                let stored = AzureMetadata.stored(name: name.dropFirst("x-amz-meta-".utf8.count))
                translated.append("x-ms-meta-".utf8 + stored, AzureMetadata.stored(value: fields.value(entry)))
            } else if fields.isNamed(entry, "content-type") || fields.isNamed(entry, "content-length") {
                translated.append(entry, of: fields, lowercasing: .name)
            }
        }
        return translated
    }

    /// Azure takes no forms.
    public func postForm(
        _ key: ObjectKey,
        fields: FieldBlock,
        length: Int64,
        until end: Instant,
        at now: Instant
    ) throws(S3Error) -> PostedForm? {
        nil
    }
}
