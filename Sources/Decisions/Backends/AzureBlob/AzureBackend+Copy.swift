import HTTP1
import S3API
import Signatures
import WireFormats

/// Copies within an account, which reads the source by a URL of its own.
extension AzureTurn {
    /// Put Blob From URL.
    func copying(from source: AzureBackend?) throws(S3Error) -> Exchange {
        let replaces = try self.replaces()
        let destination = try backend.path(try key())
        guard replaces || !isOntoItself(source) else {
            throw S3Error(
                .invalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the "
                    + "object's metadata, storage class, website redirect location or encryption attributes."
            )
        }
        var fields = FieldBlock()
        fields.append("x-ms-blob-type", "BlockBlob")
        try appendSource(source, to: &fields)
        if replaces {
            fields.append("x-ms-copy-source-blob-properties", "false")
            try appendDescription(to: &fields)
            // Without any metadata the source's would be taken.
            fields.append(AzureMetadata.parts, "1")
        }
        try appendConditions(to: &fields)
        let asking = signed(.put, destination, fields: fields, length: 0)
        return Exchange(asking, .none) { [self] head in
            answer(head) { head in
                guard let etag = head.fields.string("etag") else {
                    return .failure(StoreFailure(S3Error(.backendBadAnswer), cause: .store), fields: FieldBlock())
                }
                let modified = head.fields.first("last-modified").flatMap { Timestamp.parseHTTP($0) } ?? now
                // Metadata of the source says how many parts that had.
                guard replaces else { return .collect(limit: Self.shortAnswer) { _ in .ask(counting(destination)) } }
                return .xml(UploadResults.copied(etag: AzureETag.shown(etag, parts: nil), modified: modified))
            }
        }
    }

    /// The ETag of what was copied with its metadata, as every other answer will name it.
    private func counting(_ path: [UInt8]) -> Exchange {
        Exchange(signed(.head, path), .none) { [self] head in
            answer(head) { head in
                let fields = told(head)
                let modified = head.fields.first("last-modified").flatMap { Timestamp.parseHTTP($0) } ?? now
                let etag = fields.string("etag") ?? ""
                return .collect(limit: 0) { _ in .xml(UploadResults.copied(etag: etag, modified: modified)) }
            }
        }
    }

    private func replaces() throws(S3Error) -> Bool {
        guard let directive = sent.first("x-amz-metadata-directive") else { return false }
        if directive.elementsEqual("COPY".utf8) { return false }
        guard directive.elementsEqual("REPLACE".utf8) else {
            throw S3Error(.invalidArgument, "Unknown metadata directive.")
        }
        return true
    }

    private func isOntoItself(_ source: AzureBackend?) -> Bool {
        guard let copied = request.copySource, let key = request.key else { return false }
        let source = source ?? backend
        return source.bucketName == backend.bucketName
            && source.prefix + copied.key.bytes == backend.prefix + key.bytes
    }

    /// Where the bytes come from, how they may be read there, and the conditions on them.
    func appendSource(_ source: AzureBackend?, to fields: inout FieldBlock) throws(S3Error) {
        guard let copied = request.copySource else { throw S3Error(.invalidRequest) }
        guard copied.versionID == nil else { throw S3Error(.notImplemented, "Azure has no versions of S3's kind.") }
        let source = source ?? backend
        var url = source.endpoint.description + String(decoding: try source.path(copied.key), as: UTF8.self)
        switch source.credential {
        case .sharedKey(let signer):
            let signature = source.signature(.read, try source.stored(copied.key), until: now + .seconds(900))
            url += "?" + signature.query(signedBy: signer).text
        case .bearer(let token, _):
            fields.append("x-ms-copy-source-authorization", "Bearer " + token.reveal())
        case .anonymous: break
        }
        fields.append("x-ms-copy-source", url)
        for (theirs, ours) in Self.etagConditions {
            guard let value = sent.first(theirs) else { continue }
            guard let etag = AzureETag.stored(value) else { throw S3Error(.notImplemented) }
            fields.append(ours, etag)
        }
        for (theirs, ours) in Self.timeConditions {
            if let value = sent.first(theirs) { fields.append(ours, value) }
        }
    }

    private static let etagConditions: [(StaticString, StaticString)] = [
        ("x-amz-copy-source-if-match", "x-ms-source-if-match"),
        ("x-amz-copy-source-if-none-match", "x-ms-source-if-none-match"),
    ]
    private static let timeConditions: [(StaticString, StaticString)] = [
        ("x-amz-copy-source-if-modified-since", "x-ms-source-if-modified-since"),
        ("x-amz-copy-source-if-unmodified-since", "x-ms-source-if-unmodified-since"),
    ]
}

extension AzureBackend {
    /// A shared access signature of one blob, still to be signed.
    func signature(
        _ permission: SharedAccessSignature.Permission,
        _ stored: ObjectKey,
        until end: Instant,
        _ overrides: SharedAccessSignature.Overrides = SharedAccessSignature.Overrides(),
        over transport: Endpoint.Transport? = nil
    ) -> SharedAccessSignature {
        SharedAccessSignature(
            account: account,
            container: bucketName,
            blob: stored.string,
            permission: permission,
            expiry: end,
            transport: (transport ?? endpoint.transport) == .tls ? .tls : .any,
            overrides: overrides
        )
    }
}

extension Query {
    /// Percent-encoded, sorted by name.
    var text: String {
        var text: [UInt8] = []
        appendCanonical(to: &text)
        return String(decoding: text, as: UTF8.self)
    }
}
