package import WireFormats

/// The body of an error answer, in the form that the caller's kind of client reads.
package struct ErrorDocument: Sendable {
    package enum Format: Hashable, Sendable {
        /// S3 API reference, "REST error responses".
        case xml
        /// `{"error":{"code","message","resource","request_id"}}`.
        case json

        package var contentType: StaticString {
            switch self {
            case .xml: "application/xml"
            case .json: "application/json"
            }
        }
    }

    package let code: String
    package let message: String
    /// Bucket and key as the client named them; nil where they are not known.
    package let address: S3Address?
    package let requestID: RequestID
    /// The region that a signature must name, for AuthorizationHeaderMalformed.
    package let region: String?

    package init(code: String, message: String, address: S3Address?, requestID: RequestID, region: String? = nil) {
        self.code = code
        self.message = message
        self.address = address
        self.requestID = requestID
        self.region = region
    }

    package init(_ error: S3Error, address: S3Address?, requestID: RequestID, region: String? = nil) {
        self.init(
            code: error.code.name,
            message: error.message,
            address: address,
            requestID: requestID,
            region: region
        )
    }

    package func bytes(_ format: Format) -> [UInt8] {
        switch format {
        case .xml: xml()
        case .json: json()
        }
    }

    package func xml() -> [UInt8] {
        var writer = XMLWriter()
        writer.open("Error")
        writer.element("Code", code)
        writer.element("Message", message)
        if let region { writer.element("Region", region) }
        if let bucket = address?.bucket { writer.element("BucketName", bucket.string) }
        if let key = address?.key { writer.element("Key", key.bytes) }
        writer.element("Resource", resource)
        writer.element("RequestId", requestID.bytes)
        writer.close("Error")
        return writer.bytes
    }

    package func json() -> [UInt8] {
        var text: [UInt8] = Array(#"{"error":{"code":""#.utf8)
        Self.appendEscaped(code.utf8, to: &text)
        text.append(contentsOf: #"","message":""#.utf8)
        Self.appendEscaped(message.utf8, to: &text)
        text.append(contentsOf: #"","resource":""#.utf8)
        Self.appendEscaped(resource, to: &text)
        text.append(contentsOf: #"","request_id":""#.utf8)
        requestID.append(to: &text)
        text.append(contentsOf: #""}}"#.utf8)
        return text
    }

    /// `/bucket/key`, not encoded.
    private var resource: [UInt8] {
        var path: [UInt8] = [UInt8(ascii: "/")]
        if let bucket = address?.bucket { path.append(contentsOf: bucket.utf8) }
        if let key = address?.key {
            path.append(UInt8(ascii: "/"))
            path.append(contentsOf: key.bytes)
        }
        return path
    }

    /// UTF-8 with what JSON can't hold bare escaped (RFC 8259, section 7).
    private static func appendEscaped(_ text: some Sequence<UInt8>, to json: inout [UInt8]) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                json.append(UInt8(ascii: "\\"))
                json.append(byte)
            case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
                json.append(contentsOf: #"\u00"#.utf8)
                json.append(contentsOf: Hex.encode([byte]).utf8)
            default:
                json.append(byte)
            }
        }
    }
}
