package import WireFormats

/// Fetches small public documents: an issuer's discovery document and its keys. A port, so that issuers can be played.
package protocol DocumentSource: Sendable {
    /// The document behind `url`, at most `limit` bytes. Redirects are not followed: the configuration says where keys
    /// come from, and nobody on the way does.
    func document(at url: ServiceURL, limit: Int) async throws(DocumentFailure) -> Document
}

package struct Document: Sendable {
    package let bytes: [UInt8]
    /// `Cache-Control`'s `max-age`; nil where the answer says nothing.
    package let maxAge: Duration?

    package init(bytes: [UInt8], maxAge: Duration? = nil) {
        self.bytes = bytes
        self.maxAge = maxAge
    }
}

/// Why there is no document, for logs and the readiness detail.
package struct DocumentFailure: Error, Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}
