import Signatures

/// What signatures are good for.
enum SignedService {
    case s3
    /// They are of the body, which no field states the hash of.
    case sts(body: PayloadHash)

    var name: String {
        switch self {
        case .s3: "s3"
        case .sts: "sts"
        }
    }

    var body: PayloadHash? {
        switch self {
        case .s3: nil
        case .sts(let body): body
        }
    }
}

/// What version 2 signs as the resource, beside the path.
enum SignedResource {
    /// A bucket or an object; the bucket where the host names it.
    case s3(bucketInHost: String?)
    /// Something of Gatehouse's own: version 2 knows nothing of it.
    case own
}
