import HTTP1
import S3API

/// What becomes of a client's header field on the way to the store. Whatever is not named here stays behind:
/// credentials, cookies, forwarding, everything about this hop.
enum FieldTreatment {
    case carried
    case dropped
    /// Carried without `aws-chunked`.
    case contentEncoding
    /// Carried where the store decides about other origins.
    case origin

    /// - Parameters:
    ///   - writes: whether the operation changes something.
    ///   - digests: which of the client's digests go along.
    init(_ entry: FieldBlock.Entry, of fields: FieldBlock, writes: Bool, digests: DigestCarriage) {
        switch lowered(fields.bytes[entry.name.lowerBound]) {
        case UInt8(ascii: "x"):
            guard fields.hasPrefix(entry, "x-amz-") else { break }
            self = Self.isCarriedAmz(fields.name(entry), digests: digests) ? .carried : .dropped
            return
        case UInt8(ascii: "i"):
            self = Self.isAny(of: Self.conditions, entry, fields) ? .carried : .dropped
            return
        case UInt8(ascii: "o"):
            self = fields.isNamed(entry, "origin") ? .origin : .dropped
            return
        case UInt8(ascii: "r"):
            self = !writes && fields.isNamed(entry, "range") ? .carried : .dropped
            return
        case UInt8(ascii: "c"):
            guard writes else { break }
            if fields.isNamed(entry, "content-encoding") {
                self = .contentEncoding
                return
            }
            if fields.isNamed(entry, "content-md5") {
                self = digests.ofTheBody == .carried ? .carried : .dropped
                return
            }
            self = Self.isAny(of: Self.content, entry, fields) ? .carried : .dropped
            return
        case UInt8(ascii: "e"):
            self = writes && fields.isNamed(entry, "expires") ? .carried : .dropped
            return
        default: break
        }
        self = .dropped
    }

    private static let conditions: [StaticString] = [
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
    ]
    private static let content: [StaticString] = [
        "content-type", "content-language", "content-disposition", "cache-control",
    ]

    private static func isAny(of names: [StaticString], _ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        names.contains { fields.isNamed(entry, $0) }
    }

    /// Whether a field `x-amz-...` of that name, in any case, is carried as it is. A copy's source is not: it is mapped.
    static func isCarriedAmz(_ name: ArraySlice<UInt8>, digests: DigestCarriage) -> Bool {
        guard let field = AmzField(name: name) else { return isUserMetadata(name) }
        switch field.carriage {
        case .carried:
            guard let concern = field.checksumConcern else { return true }
            return digests.carries(concern)
        case .dropped, .ofTheBody: return false
        case .withCopy: return field != .copySource
        }
    }
}

/// Which of the client's digests go to the store.
struct DigestCarriage: Sendable {
    enum OfTheBody { case carried, dropped }

    /// Whether digests of the body that the client sent still hold for what the store gets.
    let ofTheBody: OfTheBody
    /// What the store knows of checksums.
    let store: StoreChecksums

    fileprivate func carries(_ concern: ChecksumConcern) -> Bool {
        guard store.areUnderstood else { return false }
        switch concern {
        case .body: return ofTheBody == .carried
        case .object: return true
        }
    }
}

/// What a field about checksums concerns.
private enum ChecksumConcern {
    /// The body's exact bytes.
    case body
    /// How the object's checksum is kept and told.
    case object
}

extension AmzField {
    fileprivate var checksumConcern: ChecksumConcern? {
        switch self {
        case .sdkChecksumAlgorithm, .checksumCRC32, .checksumCRC32C, .checksumCRC64NVME, .checksumSHA1,
            .checksumSHA256:
            .body
        case .checksumAlgorithm, .checksumType, .checksumMode: .object
        default: nil
        }
    }
}
