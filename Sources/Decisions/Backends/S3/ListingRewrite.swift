import S3API
import WireFormats

/// A store's listing under the client's names: bucket, keys, prefixes and markers without the backend prefix. All
/// else, elements that nobody here knows included, stays as it is. What lies outside the prefix is left out.
struct ListingRewrite {
    private let backend: S3Backend
    private let bucket: BucketName
    private let listing: XMLNode
    private let encoding: ListingEncoding

    init(backend: S3Backend, bucket: BucketName, listing: XMLNode) {
        self.backend = backend
        self.bucket = bucket
        self.listing = listing
        // What the store says it did, not what it was asked for.
        encoding = listing.value("EncodingType") == "url" ? .url : .plain
    }

    func rewritten() -> XMLNode {
        listing.mapChildren { child in
            switch child.name {
            case "Name", "Bucket": child.withText(bucket.string)
            case "Prefix", "Marker", "NextMarker", "StartAfter", "KeyMarker", "NextKeyMarker":
                child.text.isEmpty || backend.prefix.isEmpty ? child : shownOrEmpty(child)
            case "ContinuationToken", "NextContinuationToken":
                backend.prefix.isEmpty || child.text.isEmpty
                    ? child : child.withText(ContinuationToken.wrap(child.text.trimmingXMLSpace))
            case "Contents", "Version", "DeleteMarker", "Upload": entry(child, named: "Key")
            case "CommonPrefixes": entry(child, named: "Prefix")
            default: child
            }
        }
    }

    /// A marker that lies before the prefix begins where the prefix does.
    private func shownOrEmpty(_ node: XMLNode) -> XMLNode {
        shown(node) ?? node.withText("")
    }

    private func entry(_ node: XMLNode, named name: String) -> XMLNode? {
        guard !backend.prefix.isEmpty else { return node }
        var names = 0
        var isInside = true
        let rewritten = node.mapChildren { child in
            guard child.name == name else { return child }
            names += 1
            // The prefix itself may be an object at the store: here it would be one without a name.
            guard let shown = shown(child), !shown.text.isEmpty else {
                isInside = false
                return nil
            }
            return shown
        }
        return names > 0 && isInside ? rewritten : nil
    }

    private func shown(_ node: XMLNode) -> XMLNode? {
        guard let shown = backend.shown(encoding.decode(node.text)) else { return nil }
        return node.withText(String(decoding: encoding.encode(shown), as: UTF8.self))
    }
}
