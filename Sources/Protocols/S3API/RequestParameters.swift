import WireFormats

/// What a query says about the operation: which known parameters are there, each once, and the one subresource.
struct RequestParameters {
    private(set) var present = EnumerationSet<QueryParameter>()
    private(set) var subresource: QueryParameter?
    private(set) var versionID: [UInt8]?
    /// A field is among them that a signing SDK moved into the query.
    private(set) var hasHoistedFields = false
    /// The query carries a signature of version 2.
    private(set) var isVersion2 = false

    /// - Throws: `NotImplemented` for an unknown or doubled parameter, a second subresource, or one with a value;
    ///   `InvalidArgument` for a value that its parameter can't have.
    init(_ query: Query) throws(S3Error) {
        var repeatsFields = false
        for place in 0..<query.count {
            let name = query.name(at: place)
            guard let parameter = QueryParameter(name: name) else {
                switch ForeignParameter(name: name) {
                case .ignored: continue
                case .repeatedField: repeatsFields = true
                case .accessKeyID: isVersion2 = true
                case .hoistedHeader: hasHoistedFields = true
                case .unknown: throw Self.unknown
                }
                continue
            }
            guard present.insert(parameter) else {
                throw S3Error(.notImplemented, "A query parameter was given more than once.")
            }
            if QueryParameter.subresources.contains(parameter) {
                guard subresource == nil else {
                    throw S3Error(.notImplemented, "More than one subresource was given.")
                }
                subresource = parameter
            }
            try check(parameter, query.value(at: place))
        }
        guard isVersion2 || !repeatsFields else { throw Self.unknown }
        guard subresource != .select || present.contains(.selectType) else {
            throw S3Error(.invalidArgument, "select-type=2 is required.")
        }
    }

    private static let unknown = S3Error(.notImplemented, "A query parameter that was given is not known.")

    private mutating func check(_ parameter: QueryParameter, _ value: ArraySlice<UInt8>) throws(S3Error) {
        switch parameter {
        case .versionID:
            guard !value.isEmpty else { throw S3Error(.invalidArgument, "Version id cannot be the empty string") }
            try checkOpaque(value, "versionId")
            versionID = Array(value)
        case .uploadID:
            guard !value.isEmpty else { throw S3Error(.invalidArgument, "uploadId cannot be the empty string") }
            try checkOpaque(value, "uploadId")
        case .partNumber:
            guard let number = decimal(value), (1...10_000).contains(number) else {
                throw S3Error(.invalidArgument, "Part number must be an integer between 1 and 10000, inclusive")
            }
        case .listType, .selectType:
            guard value.elementsEqual("2".utf8) else {
                throw S3Error(.invalidArgument, "\(parameter.rawValue) must be 2")
            }
        case .encodingType:
            guard value.isEmpty || value.elementsEqual("url".utf8) else {
                throw S3Error(.invalidArgument, "Invalid Encoding Method specified in Request")
            }
        case .maxBuckets, .maxKeys, .maxParts, .maxUploads, .partNumberMarker:
            guard value.isEmpty || decimal(value).map({ $0 <= Int(Int32.max) }) == true else {
                throw S3Error(.invalidArgument, "\(parameter.rawValue) must be a number that is not negative")
            }
        case .prefix, .marker, .keyMarker, .startAfter, .delimiter:
            guard isUTF8(value), !value.contains(0) else {
                throw S3Error(.invalidArgument, "\(parameter.rawValue) is not valid UTF-8")
            }
            // A store that keeps files would walk up; the last segment is only the beginning of a name.
            guard parameter == .delimiter || !hasDotSegment(value.split(upToLast: UInt8(ascii: "/"))) else {
                throw S3Error(.invalidArgument, "\(parameter.rawValue) contains a '.' or '..' segment")
            }
        default:
            guard QueryParameter.subresources.contains(parameter) else { return }
            guard value.isEmpty else { throw S3Error(.notImplemented, "A subresource was given a value.") }
        }
    }

    private func checkOpaque(_ value: ArraySlice<UInt8>, _ name: String) throws(S3Error) {
        guard value.count <= 1024, value.allSatisfy({ (0x21...0x7E).contains($0) }), !hasDotSegment(value) else {
            throw S3Error(.invalidArgument, "\(name) is not valid")
        }
    }
}

/// Whether one of the segments between slashes, or backslashes, is `.` or `..`.
func hasDotSegment(_ path: ArraySlice<UInt8>) -> Bool {
    path.contains(UInt8(ascii: "."))
        && path.split(whereSeparator: { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }).contains { segment in
            segment.count <= 2 && segment.allSatisfy { $0 == UInt8(ascii: ".") }
        }
}

extension ArraySlice<UInt8> {
    /// What precedes the last `separator`; empty where there is none.
    fileprivate func split(upToLast separator: UInt8) -> ArraySlice<UInt8> {
        lastIndex(of: separator).map { self[..<$0] } ?? self[endIndex...]
    }
}

/// A decimal number without sign, at most ten digits; nil for anything else.
public func decimal(_ text: some Collection<UInt8>) -> Int? {
    guard (1...10).contains(text.count) else { return nil }
    var value = 0
    for byte in text {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value
}
