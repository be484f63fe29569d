public import S3API
import WireFormats

/// A bucket's policy document where the bucket has another name at the store: its resources are named anew, each way.
///
/// Only what is certain is renamed: `*`, and ARNs of this very bucket and of what lies in it. A document that names the
/// bucket in any other way (a pattern in its name, a condition on another resource) would mean something else under the
/// other name; it is refused as a whole.
struct BucketPolicyNames {
    private let old: String
    private let new: String

    init(from old: String, to new: String) {
        self.old = old
        self.new = new
    }

    /// - Throws: `MalformedPolicy` for what is no JSON, has a member twice, or names resources that can't be renamed.
    func renamed(_ document: [UInt8]) throws(S3Error) -> [UInt8] {
        let policy: StrictJSON
        do {
            policy = try StrictJSON(parsing: document)
        } catch {
            throw S3Error(.malformedPolicy, "The policy is not valid JSON: \(error.path): \(error.message)")
        }
        return try renamed(policy).text
    }

    private func renamed(_ value: StrictJSON) throws(S3Error) -> StrictJSON {
        switch value {
        case .object(let members):
            var result: [(name: String, value: StrictJSON)] = []
            for (name, value) in members {
                // Stores in Go read names of members without regard to case.
                switch lowered(name) {
                case "resource", "notresource": result.append((name, try resource(value)))
                case let other where other.contains("copy-source"): throw Self.unnameable
                default:
                    try refuseNames(name)
                    result.append((name, try renamed(value)))
                }
            }
            return .object(result)
        case .array(let elements):
            var result: [StrictJSON] = []
            for element in elements { result.append(try renamed(element)) }
            return .array(result)
        case .string(let text):
            try refuseNames(text)
            return value
        case .number, .bool, .null: return value
        }
    }

    private func resource(_ value: StrictJSON) throws(S3Error) -> StrictJSON {
        switch value {
        case .string(let text): return .string(try resource(text))
        case .array(let elements):
            var result: [StrictJSON] = []
            for element in elements {
                guard case .string(let text) = element else { throw Self.unnameable }
                result.append(.string(try resource(text)))
            }
            return .array(result)
        case .object, .number, .bool, .null: throw Self.unnameable
        }
    }

    /// `arn:aws:s3:::bucket/key-pattern`, of any partition.
    private func resource(_ text: String) throws(S3Error) -> String {
        if text == "*" { return text }
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), maxSplits: 5, omittingEmptySubsequences: false)
        guard parts.count == 6, parts[0].elementsEqual("arn".utf8), parts[2].elementsEqual("s3".utf8),
            parts[3].isEmpty, parts[4].isEmpty
        else { throw Self.unnameable }
        let bucket = parts[5].prefix { $0 != UInt8(ascii: "/") }
        guard bucket.elementsEqual(old.utf8) else { throw Self.unnameable }
        return String(decoding: text.utf8[..<bucket.startIndex], as: UTF8.self) + new
            + String(decoding: text.utf8[bucket.endIndex...], as: UTF8.self)
    }

    /// A bucket may also be named where no name is looked for.
    private func refuseNames(_ text: String) throws(S3Error) {
        guard !lowered(text).contains(":s3:::") else { throw Self.unnameable }
    }

    private func lowered(_ text: String) -> String {
        String(decoding: text.utf8.map { $0 &- 0x41 < 26 ? $0 | 0x20 : $0 }, as: UTF8.self)
    }

    private static var unnameable: S3Error {
        S3Error(
            .malformedPolicy,
            "This bucket has another name at its store: resources must be \"*\", arn:aws:s3:::BUCKET or "
                + "arn:aws:s3:::BUCKET/..., and no condition may name a bucket."
        )
    }
}

extension S3Backend {
    /// The document of a PutBucketPolicy for the store, to be sent as ``OutgoingBody/rewritten(_:)``; nil where the
    /// client's can go as it is.
    /// - Throws: `MalformedPolicy` where the client's names can't be told from the store's.
    public func policyDocument(_ document: [UInt8], of bucket: BucketName) throws(S3Error) -> [UInt8]? {
        guard bucket.string != bucketName else { return nil }
        return try BucketPolicyNames(from: bucket.string, to: bucketName).renamed(document)
    }
}
