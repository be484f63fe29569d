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
        guard let signer = credential.urlSigner, let bound = Self.bound(fields, binding), Self.isUnderstood(query)
        else {
            return nil
        }
        let place = publicEndpoint ?? endpoint
        let path = try path(of: key)
        var signed = bound
        signed.append("host", place.authority)
        let text: [UInt8]
        do {
            text = try signer.presign(method, path: path, query: query, fields: signed, expiresIn: lifetime, at: now)
        } catch {
            throw S3Error(.internalError)
        }
        let scheme = place.transport == .tls ? "https://" : "http://"
        return PresignedRequest(
            url: scheme + place.authority + String(decoding: path + [UInt8(ascii: "?")] + text, as: UTF8.self),
            fields: bound
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
