import WireFormats

/// What a signature for Google Cloud Storage is good for: a day, any location, this service.
struct GoogleScope {
    static let region = "auto"
    static let service = "storage"

    let dateText: [UInt8]
    /// `20190201/auto/storage/goog4_request`
    let bytes: [UInt8]

    /// - Parameter dateText: `YYYYMMDD'T'HHMMSS'Z'`.
    init(dateText: [UInt8]) {
        self.dateText = dateText
        bytes = Array(dateText.prefix(8)) + Array("/\(Self.region)/\(Self.service)/goog4_request".utf8)
    }

    func credential(of identity: String) -> [UInt8] {
        Array(identity.utf8) + [UInt8(ascii: "/")] + bytes
    }

    func stages(_ canonical: CanonicalRequest, algorithm: StaticString) -> SigningStages {
        var text = StringToSign.start(dateText: dateText, algorithm: algorithm)
        text.append(contentsOf: bytes)
        StringToSign.end(&text, canonicalRequest: canonical.bytes)
        return SigningStages(canonicalRequest: canonical.bytes, stringToSign: text)
    }
}
