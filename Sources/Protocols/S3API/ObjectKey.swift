/// An object's key: its bytes, decoded exactly once, compared as bytes (Swift strings compare canonically, S3 keys do
/// not). Between 1 and 1024 bytes of UTF-8 once ``init(validating:rules:)`` has accepted it.
public struct ObjectKey: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    /// S3's limit (S3 User Guide, "Naming Amazon S3 objects").
    public static let maximumLength = 1024

    /// A key that was checked before, or that never leaves this process.
    public init(_ bytes: some Sequence<UInt8>) {
        self.bytes = Array(bytes)
    }

    public init(_ string: String) {
        bytes = Array(string.utf8)
    }

    /// A key from the wire: UTF-8, at most 1024 bytes, no NUL, no `.` or `..` segment, be it between slashes or
    /// backslashes, which stores exist that take for slashes. Other control characters are S3's
    /// to allow: XML and logs write them as what they can hold, header fields percent-encoded.
    /// - Throws: `KeyTooLongError`, `InvalidURI`, or `InvalidArgument` where `rules` are narrower than S3's.
    public init(validating bytes: [UInt8], rules: KeyRules = .standard) throws(S3Error) {
        guard bytes.count <= Self.maximumLength else { throw S3Error(.keyTooLong) }
        guard isUTF8(bytes) else { throw S3Error(.invalidURI, "The key is not valid UTF-8.") }
        var segmentLength = 0
        var dots: Int? = 0
        var segments = 1
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "/"):
                try Self.checkSegment(length: segmentLength, dots: dots, rules: rules)
                segmentLength = 0
                dots = 0
                segments += 1
            case UInt8(ascii: "\\"):
                try Self.checkDots(dots)
                segmentLength += 1
                dots = 0
            case 0: throw S3Error(.invalidURI, "The key contains a NUL.")
            default:
                segmentLength += 1
                dots = byte == UInt8(ascii: ".") ? dots.map { $0 + 1 } : nil
            }
        }
        try Self.checkSegment(length: segmentLength, dots: dots, rules: rules)
        guard rules != .oneSegment || segments == 1 else {
            throw S3Error(.invalidArgument, "Keys here have a single path segment.")
        }
        self.bytes = bytes
    }

    /// - Parameter dots: how many there are where there is nothing else.
    private static func checkDots(_ dots: Int?) throws(S3Error) {
        guard dots != 1, dots != 2 else { throw S3Error(.invalidURI, "The key contains a '.' or '..' segment.") }
    }

    private static func checkSegment(length: Int, dots: Int?, rules: KeyRules) throws(S3Error) {
        try checkDots(dots)
        guard rules == .standard || length > 0 else {
            throw S3Error(.invalidArgument, "The key contains an empty path segment.")
        }
    }

    public var string: String { String(decoding: bytes, as: UTF8.self) }
    public var description: String { string }

    public func hasPrefix(_ prefix: some Sequence<UInt8>) -> Bool {
        bytes.starts(with: prefix)
    }
}

/// Which keys are accepted: all that S3 accepts but dot segments and NUL, or (`strict_keys`) only
/// those of one segment, without `//` and without a trailing `/`.
public enum KeyRules: Hashable, Sendable {
    case standard
    case oneSegment
}

/// Whether the bytes are well-formed UTF-8 (RFC 3629); ASCII, the common case, costs one pass without decoding.
public func isUTF8(_ bytes: some Collection<UInt8>) -> Bool {
    if bytes.allSatisfy({ $0 < 0x80 }) { return true }
    var iterator = bytes.makeIterator()
    var parser = Unicode.UTF8.ForwardParser()
    while true {
        switch parser.parseScalar(from: &iterator) {
        case .valid: continue
        case .emptyInput: return true
        case .error: return false
        }
    }
}
