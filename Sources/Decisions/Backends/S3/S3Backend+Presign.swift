public import HTTP1
public import S3API
public import WireFormats

extension S3Backend {
    /// The longest that a signature of version 4 is good for.
    public static let longestPresigned = Duration.seconds(604_800)

    /// A URL at the store that does one thing with one key, for whoever holds it; nil where nothing is signed for this
    /// store.
    ///
    /// - Parameters:
    ///   - query: what the URL asks for besides: overrides of the answer's fields, the part of an upload.
    ///   - fields: what the request has to carry exactly so; names in lower case, without `host`.
    ///   - lifetime: whole seconds, 1 s to ``longestPresigned``.
    ///   - now: the time of the signature, which counts whole seconds.
    /// - Throws: `KeyTooLongError` where the prefix leaves no room for the key.
    public func presign(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> String? {
        guard let signer else { return nil }
        let place = publicEndpoint ?? endpoint
        let host =
            switch addressing {
            case .path: place.authority
            case .virtualHost: bucketName + "." + place.authority
            }
        var path = keyRoot
        PercentEncoding.append(try stored(key).bytes.dropFirst(prefix.count), to: &path, keepSlash: .keep)
        return signer.url(
            method,
            transport: place.transport,
            host: host,
            path: path,
            query: query,
            fields: fields,
            for: lifetime,
            at: now
        )
    }
}
