package import WireFormats

/// A type of content, or all of a kind: `video/mp4`, `image/*`, `*/*` (RFC 9110, section 12.5.1, without parameters).
package struct MediaRange: Hashable, Sendable, CustomStringConvertible {
    private let type: String
    private let subtype: String

    package init?(_ text: String) {
        let parts = text.lowercased().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, parts.allSatisfy({ Token.isSpelt(by: $0.utf8) }), parts[0] != "*" || parts[1] == "*",
            parts.allSatisfy({ $0 == "*" || !$0.contains("*") })
        else { return nil }
        (type, subtype) = (parts[0], parts[1])
    }

    /// Whether a type is one of these; its parameters don't matter.
    package func contains(_ contentType: MediaType) -> Bool {
        (type == "*" || type == contentType.type) && (subtype == "*" || subtype == contentType.subtype)
    }

    package var description: String { type + "/" + subtype }
}
