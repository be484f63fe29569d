import S3API
import WireFormats

extension S3Backend {
    /// The canonical query for the store: the client's without what only carried its signature, and with everything
    /// that names keys moved under the prefix.
    func query(for request: S3Request) throws(S3Error) -> [UInt8] {
        let isListing = request.operation.listsKeys
        guard !request.query.isEmpty || (isListing && !prefix.isEmpty) else { return [] }
        var query = Query()
        var hasPrefix = false
        try request.query.forEach { (name, value, _) throws(S3Error) in
            guard S3Operation.knowsParameter(name) else { return }
            guard isListing, !prefix.isEmpty else {
                query.append(name, value)
                return
            }
            if name.elementsEqual("prefix".utf8) {
                hasPrefix = true
                query.append(name, prefix + value)
            } else if Self.markers.contains(where: { name.elementsEqual($0.utf8) }) {
                // An empty marker means the beginning, not the prefix itself.
                query.append(name, value.isEmpty ? [] : prefix + value)
            } else if name.elementsEqual("continuation-token".utf8) {
                guard let token = ContinuationToken.unwrap(value) else {
                    throw S3Error(.invalidArgument, "The continuation token provided is incorrect")
                }
                query.append(name, token)
            } else {
                query.append(name, value)
            }
        }
        if isListing, !hasPrefix, !prefix.isEmpty { query.append("prefix".utf8, prefix) }
        var text: [UInt8] = []
        query.appendCanonical(to: &text)
        return text
    }

    private static let markers = ["marker", "start-after", "key-marker"]
}

/// A store's continuation token as clients of a bucket behind a prefix see it: stores that use keys as tokens would
/// otherwise show them the prefix.
enum ContinuationToken {
    private static let form = UInt8(ascii: "1")

    static func wrap(_ token: String) -> String {
        "1" + Base64URL.encode(Array(token.utf8))
    }

    /// Nil for what is none of ours.
    static func unwrap(_ text: some Collection<UInt8>) -> [UInt8]? {
        guard text.first == form else { return nil }
        return Base64URL.decode(Array(text.dropFirst()))
    }
}
