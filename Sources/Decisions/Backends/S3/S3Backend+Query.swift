import S3API
import WireFormats

extension S3Backend {
    /// The canonical query for the store: the client's without what only carried its signature, and with everything
    /// that names keys moved under the prefix.
    func query(for request: S3Request) throws(S3Error) -> [UInt8] {
        guard !request.query.isEmpty || (request.operation.listsKeys && !prefix.isEmpty) else { return [] }
        var text: [UInt8] = []
        if request.operation.listsKeys {
            try listingQuery(for: request, hiding: hidden).appendCanonical(to: &text)
            return text
        }
        var query = Query()
        request.query.forEach { name, value, _ in
            if S3Operation.knowsParameter(name) { query.append(name, value) }
        }
        query.appendCanonical(to: &text)
        return text
    }
}
