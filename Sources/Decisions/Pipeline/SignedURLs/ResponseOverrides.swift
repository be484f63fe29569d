public import S3API
public import WireFormats

/// What a store shall say of an object instead of what it knows: its name for browsers that save it, its type.
public struct ResponseOverrides: Hashable, Sendable {
    public let disposition: String?
    public let contentType: String?

    /// - Parameters:
    ///   - filename: the name to save it under: 1 to 255 characters, none of them a control character.
    ///   - contentType: a ``MediaType``.
    /// - Throws: `InvalidArgument`.
    public init(filename: String? = nil, contentType: String? = nil) throws(S3Error) {
        disposition = try filename.map { (name) throws(S3Error) in try Self.attachment(name) }
        if let contentType {
            do {
                _ = try MediaType(contentType)
            } catch {
                throw S3Error(.invalidArgument, "'content_type' \(error).")
            }
        }
        self.contentType = contentType
    }

    /// As S3 takes them (API reference, "GetObject").
    public var query: Query {
        var query = Query()
        if let disposition { query.append("response-content-disposition".utf8, disposition.utf8) }
        if let contentType { query.append("response-content-type".utf8, contentType.utf8) }
        return query
    }

    /// `attachment` with the name twice where it needs more than plain letters (RFC 6266, appendix D; RFC 8187).
    private static func attachment(_ name: String) throws(S3Error) -> String {
        guard (1...255).contains(name.unicodeScalars.count),
            name.unicodeScalars.allSatisfy({ $0.properties.generalCategory != .control })
        else { throw S3Error(.invalidArgument, "'filename' must be 1 to 255 characters, none a control character.") }
        let plain = String(decoding: name.unicodeScalars.map(Self.plainByte), as: UTF8.self)
        let quoted = "attachment; filename=\"\(plain)\""
        guard !plain.utf8.elementsEqual(name.utf8) else { return quoted }
        let encoded = PercentEncoding.encode(name.utf8, keepSlash: .encode)
        return quoted + "; filename*=UTF-8''" + String(decoding: encoded, as: UTF8.self)
    }

    /// What every reader of a quoted string takes as it is; `_` for the rest.
    private static func plainByte(_ scalar: Unicode.Scalar) -> UInt8 {
        guard scalar.isASCII, !"\"\\%/".unicodeScalars.contains(scalar) else { return UInt8(ascii: "_") }
        return UInt8(scalar.value)
    }
}
