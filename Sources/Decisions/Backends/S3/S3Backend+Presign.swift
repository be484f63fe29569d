public import HTTP1
public import S3API
public import WireFormats

extension S3Backend {
    /// The longest that a signature of version 4 is good for.
    public static let longestPresigned = Duration.seconds(604_800)

    /// All fields are signed, whoever would look at them.
    public func presign(
        _ method: HTTPMethod,
        _ key: ObjectKey,
        query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        binding: FieldBinding = .required,
        for lifetime: Duration,
        at now: Instant
    ) throws(S3Error) -> PresignedRequest? {
        guard let signer else { return nil }
        let place = publicEndpoint ?? endpoint
        let host =
            switch addressing {
            case .path: place.authority
            case .virtualHost: bucketName + "." + place.authority
            }
        var path = keyRoot
        PercentEncoding.append(try stored(key).bytes.dropFirst(prefix.count), to: &path, keepSlash: .keep)
        let url = signer.url(
            method,
            transport: place.transport,
            host: host,
            path: path,
            query: query,
            fields: fields,
            for: lifetime,
            at: now
        )
        return PresignedRequest(url: url, fields: fields)
    }
}
