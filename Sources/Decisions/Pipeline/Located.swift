import HTTP1
import S3API
import WireFormats

/// A request whose address is understood: decoded once, here. Held by reference, since every stage has a look at it.
final class Located: Sendable {
    let address: S3Address
    /// Whether path or host names the bucket.
    let style: AddressingStyle
    let query: Query
    /// Nil where the request is about the service, or the name is nobody's.
    let bucket: Bucket?

    init(_ asking: Asking) throws(Refusal) {
        do {
            (address, style) = try S3Address.locate(
                host: asking.origin.host,
                path: asking.head.path,
                domains: asking.snapshot.server.domains,
                rules: asking.snapshot.server.keyRules
            )
        } catch {
            throw .request(error)
        }
        do {
            query = try Query(parsing: asking.head.query ?? [])
        } catch {
            throw .request(S3Error(.invalidURI, "The query is not properly encoded."))
        }
        bucket = address.bucket.flatMap(asking.snapshot.bucket)
    }

    /// An object that something else than the request's own path names.
    init(_ bucket: BucketName, _ key: ObjectKey, query: Query = Query(), _ asking: Asking) {
        address = .object(bucket, key)
        style = .path
        self.query = query
        self.bucket = asking.snapshot.bucket(bucket)
    }

    /// Whether the request would be about the same thing if it had been sent to `host`.
    func isSame(under host: [UInt8], _ asking: Asking) -> Bool {
        let server = asking.snapshot.server
        let other = try? S3Address.locate(
            host: host,
            path: asking.head.path,
            domains: server.domains,
            rules: server.keyRules
        )
        return other?.address == address
    }
}
