/// A URL that requests are sent to: `https://host[:port]/path?query`, without user or fragment.
package struct WebURL: Hashable, Sendable, CustomStringConvertible {
    package let origin: PublicURL
    /// Path and query, at least `/`.
    package let target: String

    /// Nil for anything that is not printable ASCII as well: what is sent is what was written.
    package init?(parsing text: String) {
        guard text.utf8.count <= 2048, text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "#") }),
            let scheme = ["http://", "https://"].first(where: text.hasPrefix)
        else { return nil }
        let authority = text.dropFirst(scheme.count).prefix { $0 != "/" && $0 != "?" }
        guard let origin = PublicURL(parsing: scheme + authority) else { return nil }
        self.origin = origin
        let rest = text[authority.endIndex...]
        target = rest.hasPrefix("/") ? String(rest) : "/" + rest
    }

    package var description: String { origin.description + target }
}
