import Crypto
public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension OutgoingBody {
    /// Whether digests that the client gave of its body hold for this one.
    fileprivate var keepsDigests: DigestCarriage.OfTheBody {
        if case .rewritten = self { .dropped } else { .carried }
    }
}

extension S3Backend {
    /// The request as the store will receive it: decided, encoded once, signed.
    ///
    /// Carried are the fields that ``S3API/AmzField`` says so of, user metadata, conditions, ranges for reads and content
    /// fields for writes; nothing else of the client's head.
    ///
    /// - Parameters:
    ///   - source: where a copy's source lies; it must be one that ``canCopy(from:)``.
    ///   - now: the time of the signature.
    /// - Throws: `KeyTooLongError`; `InvalidArgument` for a continuation token that is none of ours.
    public func request(
        for request: S3Request,
        head: RequestHead,
        body: OutgoingBody,
        copyingFrom source: S3Backend? = nil,
        at now: Instant
    ) throws(S3Error) -> OutgoingRequest {
        let writes = request.operation.kind != .read && request.operation.kind != .list
        var outgoing = OutgoingRequest(
            method: head.method,
            path: try path(of: request.address),
            query: try query(for: request),
            fields: FieldBlock(reservingBytes: 1024, fields: 16)
        )
        outgoing.fields.append("host", host)
        let digests = DigestCarriage(ofTheBody: body.keepsDigests, store: checksums)
        for entry in head.fields.entries {
            let treatment = FieldTreatment(entry, of: head.fields, writes: writes, digests: digests)
            switch treatment {
            case .dropped: continue
            case .origin:
                if crossOrigin == .store { outgoing.fields.append(entry, of: head.fields, lowercasing: .name) }
            case .carried: outgoing.fields.append(entry, of: head.fields, lowercasing: .name)
            case .contentEncoding:
                let rest = withoutAWSChunked(head.fields.value(entry))
                if !rest.isEmpty { outgoing.fields.append("content-encoding", rest) }
            }
        }
        if !request.query.isEmpty { appendHoisted(request.query, head.fields, digests, to: &outgoing.fields) }
        if let copySource = request.copySource {
            outgoing.fields.append("x-amz-copy-source", try (source ?? self).copySourceValue(copySource))
        }
        let hash = append(body, method: head.method, to: &outgoing.fields)
        signer?.sign(&outgoing, payload: hash, at: now)
        return outgoing
    }

    /// Appends framing, and for documents of ours their digest. Returns what the signature says of the body.
    private func append(_ body: OutgoingBody, method: HTTPMethod, to fields: inout FieldBlock) -> PayloadHash {
        switch body {
        case .none:
            if method == .put || method == .post { fields.append("content-length", "0".utf8) }
            return .empty
        case .stream(let length, let hash):
            fields.append("content-length", String(length).utf8)
            return hash
        case .trailing(let framed, let length, let algorithm):
            // Content-Encoding stays as it is: stores were seen to keep `aws-chunked` with the object.
            fields.append("content-length", String(framed.encodedLength).utf8)
            fields.append("x-amz-decoded-content-length", String(length).utf8)
            fields.append("x-amz-trailer", algorithm.header.description)
            if signer == nil {
                fields.append("x-amz-content-sha256", AWSChunkedForm.unsignedWithTrailer.rawValue.utf8)
            }
            return .chunked(.unsignedWithTrailer)
        case .computed(let length, let algorithm):
            fields.append("content-length", String(length).utf8)
            if fields.first("x-amz-sdk-checksum-algorithm") == nil {
                fields.append("x-amz-sdk-checksum-algorithm", algorithm.rawValue.utf8)
            }
            return .unsigned
        case .checked(let length, let algorithm, let digest):
            fields.append("content-length", String(length).utf8)
            fields.append(algorithm.header, Base64.encode(digest).utf8)
            return .unsigned
        case .deletion: preconditionFailure("the store is sent a document of it")
        case .document(let bytes):
            fields.append("content-length", String(bytes.count).utf8)
            return .sha256(Array(SHA256.hash(data: bytes)))
        case .rewritten(let bytes):
            fields.append("content-length", String(bytes.count).utf8)
            guard !bytes.isEmpty else { return .empty }
            // S3 wants one of its own digests beside the signature's for DeleteObjects, and MD5 every store knows.
            fields.append("content-md5", Base64.encode(Array(Insecure.MD5.hash(data: bytes))).utf8)
            return .sha256(Array(SHA256.hash(data: bytes)))
        }
    }

    /// Fields that the client's SDK put into its signed query go to the store as fields, once.
    private func appendHoisted(
        _ query: Query,
        _ sent: FieldBlock,
        _ digests: DigestCarriage,
        to fields: inout FieldBlock
    ) {
        query.forEach { name, value, _ in
            guard name.count > 6, FieldTreatment.isCarriedAmz(name, digests: digests),
                !sent.holds(name, value)
            else { return }
            fields.appendLowered(name, value)
        }
    }

    private func copySourceValue(_ source: CopySource) throws(S3Error) -> [UInt8] {
        var value: [UInt8] = [UInt8(ascii: "/")]
        PercentEncoding.append(bucketName.utf8, to: &value, keepSlash: .encode)
        value.append(UInt8(ascii: "/"))
        PercentEncoding.append(try stored(source.key).bytes, to: &value, keepSlash: .keep)
        if let versionID = source.versionID {
            value.append(contentsOf: "?versionId=".utf8)
            PercentEncoding.append(versionID, to: &value, keepSlash: .encode)
        }
        return value
    }
}
