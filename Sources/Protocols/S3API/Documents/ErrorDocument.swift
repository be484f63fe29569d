import WireFormats

/// The body of an error answer: S3's XML (S3 API reference, "REST error responses"), or for clients of the JSON kind
/// `{"error":{"code","message","resource","request_id"}}`.
///
/// `resource` is the path as the client knows it, `/bucket/key`, not encoded; `code` and `message` are safe to show.
public enum ErrorDocument {
    public static func xml(
        _ error: S3Error,
        resource: some Sequence<UInt8>,
        requestID: String,
        region: String? = nil
    ) -> [UInt8] {
        xml(code: error.code.name, message: error.message, resource: resource, requestID: requestID, region: region)
    }

    /// What the resource of an error is.
    public enum Subject: Sendable {
        /// A bucket or an object, named by the path.
        case s3
        /// A path that means something else.
        case otherPath
    }

    /// - Parameters:
    ///   - region: the region that a signature must name, for AuthorizationHeaderMalformed.
    ///   - details: further elements, which SDKs make fields of their exceptions of.
    public static func xml(
        code: String,
        message: String,
        resource: some Sequence<UInt8>,
        requestID: String,
        region: String? = nil,
        details: [(name: StaticString, value: String)] = [],
        about subject: Subject = .s3
    ) -> [UInt8] {
        var writer = XMLWriter()
        writer.open("Error")
        writer.element("Code", code)
        writer.element("Message", message)
        if let region { writer.element("Region", region) }
        for detail in details { writer.element(detail.name, detail.value) }
        let path = Array(resource)
        let parts = path.dropFirst().split(separator: UInt8(ascii: "/"), maxSplits: 1, omittingEmptySubsequences: false)
        if subject == .s3, let bucket = parts.first, !bucket.isEmpty { writer.element("BucketName", bucket) }
        if subject == .s3, parts.count > 1, !parts[1].isEmpty { writer.element("Key", parts[1]) }
        writer.element("Resource", path)
        writer.element("RequestId", requestID)
        writer.close("Error")
        return writer.bytes
    }

    public static func json(_ error: S3Error, resource: some Sequence<UInt8>, requestID: String) -> [UInt8] {
        json(code: error.code.name, message: error.message, resource: resource, requestID: requestID)
    }

    public static func json(
        code: String,
        message: String,
        resource: some Sequence<UInt8>,
        requestID: String
    ) -> [UInt8] {
        var text: [UInt8] = Array(#"{"error":{"code":""#.utf8)
        appendEscaped(code.utf8, to: &text)
        text.append(contentsOf: #"","message":""#.utf8)
        appendEscaped(message.utf8, to: &text)
        text.append(contentsOf: #"","resource":""#.utf8)
        appendEscaped(resource, to: &text)
        text.append(contentsOf: #"","request_id":""#.utf8)
        appendEscaped(requestID.utf8, to: &text)
        text.append(contentsOf: #""}}"#.utf8)
        return text
    }

    /// UTF-8 with what JSON can't hold bare escaped (RFC 8259, section 7), and what HTML would read too.
    private static func appendEscaped(_ text: some Sequence<UInt8>, to json: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                json.append(UInt8(ascii: "\\"))
                json.append(byte)
            case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                json.append(contentsOf: #"\u00"#.utf8)
                Hex.append(CollectionOfOne(byte), to: &json)
            default:
                json.append(byte)
            }
        }
    }
}
