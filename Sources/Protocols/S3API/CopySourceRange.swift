/// The bytes of its source that an UploadPartCopy reads, from `x-amz-copy-source-range: bytes=first-last`
/// (S3 API reference, UploadPartCopy). Neither end may be left out, unlike in `Range`.
public struct CopySourceRange: Hashable, Sendable {
    /// Counted from 0; both are part of it.
    public let first: Int64
    public let last: Int64

    public var length: Int64 { last - first + 1 }

    public init(first: Int64, last: Int64) {
        self.first = first
        self.last = last
    }

    /// - Throws: `InvalidArgument` for anything but two decimal offsets in order.
    public init(parsing value: some Collection<UInt8>) throws(S3Error) {
        let unit = "bytes=".utf8
        guard value.starts(with: unit) else { throw Self.malformed }
        let ends = value.dropFirst(unit.count).split(
            separator: UInt8(ascii: "-"),
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        guard ends.count == 2, let first = Self.offset(ends[0]), let last = Self.offset(ends[1]), first <= last else {
            throw Self.malformed
        }
        self.init(first: first, last: last)
    }

    /// For a range that is not within its source.
    public static let outsideSource = S3Error(.invalidArgument, "Range specified is not valid for source object.")

    /// The value of a `Range` field.
    public var range: String { "bytes=\(first)-\(last)" }

    private static func offset(_ text: some Collection<UInt8>) -> Int64? {
        guard (1...18).contains(text.count), text.allSatisfy({ $0 &- UInt8(ascii: "0") < 10 }) else { return nil }
        return text.reduce(0) { $0 * 10 + Int64($1 - UInt8(ascii: "0")) }
    }

    private static var malformed: S3Error {
        S3Error(
            .invalidArgument,
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the "
                + "zero-based offsets of the first and last bytes to copy"
        )
    }
}
