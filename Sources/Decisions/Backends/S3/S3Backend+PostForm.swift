public import HTTP1
public import S3API
import Signatures
public import WireFormats

extension S3Backend {
    /// A form for exactly this key, these fields and this length; nil where nothing is signed for this store.
    ///
    /// - Parameters:
    ///   - fields: of the object; names in lower case.
    ///   - length: of the file, in bytes.
    /// - Throws: `KeyTooLongError` where the prefix leaves no room for the key.
    public func postForm(
        _ key: ObjectKey,
        fields: FieldBlock,
        length: Int64,
        until end: Instant,
        at now: Instant
    ) throws(S3Error) -> PostedForm? {
        guard let signer else { return nil }
        let place = publicEndpoint ?? endpoint
        let host =
            switch addressing {
            case .path: place.authority
            case .virtualHost: bucketName + "." + place.authority
            }
        return PostedForm(
            url: place.transport.scheme + host + (root.isEmpty ? "/" : String(decoding: root, as: UTF8.self)),
            bucket: bucketName,
            key: try stored(key).string,
            fields: fields,
            length: length,
            signer: signer,
            until: end,
            at: now
        )
    }
}
