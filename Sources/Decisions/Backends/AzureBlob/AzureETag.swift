import HTTP1

/// An ETag of Azure's as clients see it: `"0x8DCF6…"` there, `"8DCF6…-3"` here.
///
/// S3's clients take an ETag that looks like an MD5 for one, and one with a number of parts behind a hyphen for what can
/// mean anything; Azure's are neither. So each gets a number: of the blocks it was put together from as an upload in
/// parts, else 1. What stands before the hyphen is the store's own, so that a condition on it is the store's to judge.
enum AzureETag {
    /// - Parameters:
    ///   - etag: of the store, with or without quotes.
    ///   - parts: nil: it was not put in parts.
    static func shown(_ etag: String, parts: Int?) -> String {
        let bare = bare(etag)
        return "\"\(bare.hasPrefix("0x") ? String(bare.dropFirst(2)) : bare)-\(parts ?? 1)\""
    }

    /// The store's ETag for one of a client's, `*` for `*`; nil for a list of several.
    static func stored(_ etag: ArraySlice<UInt8>) -> String? {
        var text = String(decoding: etag, as: UTF8.self)
        if text == "*" { return text }
        if text.hasPrefix("W/") { text.removeFirst(2) }
        guard !text.contains(",") else { return nil }
        let bare = bare(text)
        return "\"0x\(bare.prefix { $0 != "-" })\""
    }

    private static func bare(_ etag: String) -> String { etag.filter { $0 != "\"" } }
}
