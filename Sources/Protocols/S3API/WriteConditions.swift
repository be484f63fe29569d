import HTTP1

/// `If-Match` and `If-None-Match` of what changes something. Whoever sends one relies on it, and policies permit on account
/// of it: what an operation does not look at is refused, never taken for a condition that holds.
///
/// Stores take them from PutObject, CompleteMultipartUpload, CopyObject and, `If-Match` alone, DeleteObject; `If-None-Match`
/// is `*` there and nothing else (S3 API reference). The beginning and the parts of an upload replace nothing: of them it
/// does not matter, since the completion has to have its own (S3 User Guide, "Enforce conditional writes").
enum WriteConditions {
    private static let names: [StaticString] = ["if-match", "if-none-match"]

    /// - Throws: `NotImplemented`; `InvalidRequest` for one that is repeated or empty.
    static func check(_ head: RequestHead, for operation: S3Operation) throws(S3Error) {
        // Of answers that are read, caches ask under conditions whatever they are about.
        guard head.method != .get, head.method != .head else { return }
        for name in names where head.fields.count(of: name) > 0 {
            let value: ArraySlice<UInt8>?
            do {
                value = try head.fields.single(name)
            } catch {
                throw S3Error(.invalidRequest, "\(shown(name)) was given more than once.")
            }
            guard let value, !value.isEmpty else { throw S3Error(.invalidRequest, "\(shown(name)) is empty.") }
            try check(name, value, operation)
        }
    }

    private static func check(
        _ name: StaticString,
        _ value: ArraySlice<UInt8>,
        _ operation: S3Operation
    ) throws(S3Error) {
        let isAbsence = name.description == "if-none-match"
        switch operation {
        case .putObject, .postObject, .copyObject, .completeMultipartUpload:
            guard !isAbsence || value.elementsEqual("*".utf8) else {
                throw S3Error(.notImplemented, "\(shown(name)) of what is written can only be *.")
            }
        case .deleteObject where !isAbsence: return
        case .createMultipartUpload, .uploadPart, .uploadPartCopy: return
        case .deleteObjects where !isAbsence:
            throw S3Error(
                .notImplemented,
                "\(shown(name)) is no condition of a batch; each object has an ETag of its own."
            )
        default: throw S3Error(.notImplemented, "\(shown(name)) is no condition of this operation.")
        }
    }

    private static func shown(_ name: StaticString) -> String {
        name.description == "if-match" ? "If-Match" : "If-None-Match"
    }
}
