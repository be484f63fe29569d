public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension GoogleBackend {
    /// What was asked for is bound: the type, the length as a range of one, the absence of an object as its generation 0.
    /// Nil where something has to be that no field of Google's says: those URLs lead through Gatehouse.
    public func presign(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query,
        fields: FieldBlock,
        binding: FieldBinding,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> PresignedRequest? {
        guard let signer = credential.urlSigner, let place = try place(key, query, fields, binding) else { return nil }
        do {
            let text = try signer.presign(
                method,
                path: place.path,
                query: query,
                fields: place.signed,
                expiresIn: lifetime,
                at: now
            )
            return place.request(text)
        } catch {
            throw S3Error(.internalError)
        }
    }

    /// What a service account's key signs that is kept at Google.
    public func unsignedURL(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query,
        fields: FieldBlock,
        binding: FieldBinding,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> UnsignedURL? {
        guard case .token(_, signedAs: let account?) = credential, let place = try place(key, query, fields, binding)
        else {
            return nil
        }
        let unsigned = UnsignedGoogleURL(
            method,
            path: place.path,
            query: query,
            fields: place.signed,
            account: account,
            expiresIn: lifetime,
            at: now
        )
        return UnsignedURL(unsigned.text) { place.request(unsigned.query(signedBy: $0)) }
    }

    /// A URL without its query.
    private struct Place: Sendable {
        let base: String
        let path: [UInt8]
        /// What the request has to carry, besides `host`.
        let bound: FieldBlock
        /// What is signed.
        let signed: FieldBlock

        func request(_ query: [UInt8]) -> PresignedRequest {
            PresignedRequest(
                url: base + String(decoding: path + [UInt8(ascii: "?")] + query, as: UTF8.self),
                fields: bound
            )
        }
    }

    private func place(
        _ key: ObjectKey,
        _ query: Query,
        _ fields: FieldBlock,
        _ binding: FieldBinding
    ) throws(S3Error) -> Place? {
        guard let bound = Self.bound(fields, binding), Self.isUnderstood(query) else { return nil }
        let place = publicEndpoint ?? endpoint
        var signed = bound
        signed.append("host", place.authority)
        return Place(
            base: place.transport.scheme + place.authority,
            path: try path(of: key),
            bound: bound,
            signed: signed
        )
    }

    /// The fields in Google's names; nil where one has none and has to be bound.
    static func bound(_ fields: FieldBlock, _ binding: FieldBinding) -> FieldBlock? {
        var bound = FieldBlock()
        for entry in fields.entries {
            let value = fields.value(entry)
            switch String(decoding: fields.name(entry), as: UTF8.self) {
            case "content-type", "content-disposition", "content-encoding", "content-language", "cache-control",
                "content-md5":
                bound.append(entry, of: fields, lowercasing: .nothing)
            case "content-length":
                bound.append("x-goog-content-length-range", Array(value) + [UInt8(ascii: ",")] + value)
            case "if-none-match" where value.elementsEqual("*".utf8):
                bound.append("x-goog-if-generation-match", "0")
            case "x-amz-checksum-crc32c":
                bound.append("x-goog-hash", "crc32c=".utf8 + value)
            case let name where name.hasPrefix("x-amz-meta-"):
                bound.append("x-goog-\(name.dropFirst(6))".utf8, value)
            default:
                guard binding == .checkedAfterwards else { return nil }
            }
        }
        return bound
    }

    /// Of the overrides of an answer's fields Google has these two; of an upload's part it has the same parameters as S3.
    private static func isUnderstood(_ query: Query) -> Bool {
        var isUnderstood = true
        query.forEach { name, _, _ in
            if !parameters.contains(where: { name.elementsEqual($0.utf8) }) { isUnderstood = false }
        }
        return isUnderstood
    }

    private static let parameters = [
        "response-content-type", "response-content-disposition", "partNumber", "uploadId",
    ]
}
