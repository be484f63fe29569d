import S3API
import WireFormats

/// A store's listing under the client's names: bucket, keys, prefixes and markers without the backend prefix. All
/// else, elements that nobody here knows included, stays as it is. What lies outside the prefix is left out.
struct ListingRewrite {
    private let backend: any Backend
    /// What keys that are left out begin with; empty: none are left out.
    private let hidden: FoldedName
    private let request: S3Request
    private let bucket: BucketName
    private let listing: XMLNode
    private let encoding: ListingEncoding

    init(backend: any Backend, hidden: FoldedName, request: S3Request, bucket: BucketName, listing: XMLNode) {
        self.backend = backend
        self.hidden = hidden
        self.request = request
        self.bucket = bucket
        self.listing = listing
        // What the store says it did, not what it was asked for.
        encoding = listing.value("EncodingType") == "url" ? .url : .plain
    }

    /// Nil for a listing that a client could not go on from without missing keys or going in circles.
    func rewritten() -> XMLNode? {
        guard Self.singles.allSatisfy({ listing.children(named: $0).count <= 1 }) else { return nil }
        guard !backend.prefix.isEmpty || request.mayShow(hidden) else { return renamed() }
        let isTruncated = listing.value("IsTruncated") == "true"
        let entries = listing.children.compactMap { Self.names[$0.name] == nil ? nil : entry($0) }
        guard let next = isTruncated ? next(after: entries) : .unsaid else { return nil }
        return document(entries, next)
    }

    // MARK: - Parts

    /// Of each of these a listing has one at most.
    private static let singles = [
        "EncodingType", "IsTruncated", "KeyCount", "NextMarker", "ContinuationToken", "NextContinuationToken",
        "NextKeyMarker", "NextVersionIdMarker", "NextUploadIdMarker",
    ]

    /// Elements that stand for a key or common prefix, and which child of theirs says it.
    private static let names = [
        "Contents": "Key", "Version": "Key", "DeleteMarker": "Key", "Upload": "Key", "CommonPrefixes": "Prefix",
    ]

    private func renamed() -> XMLNode {
        listing.mapChildren { child in
            child.name == "Name" || child.name == "Bucket" ? child.withText(bucket.string) : child
        }
    }

    /// - Parameter shown: a key, or a common prefix, under the client's names.
    private func isHidden(_ shown: [UInt8]) -> Bool {
        !hidden.bytes.isEmpty && hidden.begins(shown)
    }

    private func document(_ entries: [Entry], _ next: Next) -> XMLNode? {
        let isShort = entries.contains { $0.shown == nil }
        var rest = entries[...]
        var sealsEveryToken = true
        var children = listing.children.compactMap { child -> XMLNode? in
            if Self.names[child.name] != nil { return rest.popFirst()?.shown }
            switch child.name {
            case "Name", "Bucket": return child.withText(bucket.string)
            // Said back as the client said it; encoded where the store does that.
            case "Prefix": return said("prefix", in: child)
            case "Marker": return said("marker", in: child)
            case "KeyMarker": return said("key-marker", in: child)
            case "StartAfter":
                return request.query.first("start-after")?.isEmpty ?? true ? nil : said("start-after", in: child)
            case "IsTruncated": return next.isEnd ? child.withText("false") : child
            case "KeyCount":
                return isShort ? child.withText(String(entries.count { $0.shown != nil })) : child
            case "ContinuationToken", "NextContinuationToken":
                if next.isEnd, child.name == "NextContinuationToken" { return nil }
                guard !child.text.isEmpty else { return child }
                let token = ContinuationToken(for: request, at: backend).sealed(child.text.trimmingXMLSpace)
                if token == nil { sealsEveryToken = false }
                return token.map(child.withText)
            case "NextMarker", "NextKeyMarker": return next.isUnsaid ? shownOrEmpty(child) : nil
            // Of a key that is left out nothing is said.
            case "NextVersionIdMarker", "NextUploadIdMarker": return next.isEnd || next.isMoved ? nil : child
            default: return child
            }
        }
        if case .marker(let element, let name, _) = next {
            let text = String(decoding: encoding.encode(name), as: UTF8.self)
            let place = children.firstIndex { $0.name == "IsTruncated" }.map { $0 + 1 } ?? 0
            children.insert(XMLNode(name: element, text: text), at: place)
        }
        guard sealsEveryToken else { return nil }
        return XMLNode(name: listing.name, text: listing.text, attributes: listing.attributes, children: children)
    }

    // MARK: - Where the next page begins

    private enum Next {
        /// Moved: behind keys that are left out.
        case marker(element: String, [UInt8], isMoved: Bool)
        /// A token says it, or nothing does.
        case unsaid
        case end

        var isEnd: Bool { if case .end = self { true } else { false } }
        var isMoved: Bool { if case .marker(_, _, let isMoved) = self { isMoved } else { false } }
        var isUnsaid: Bool { if case .unsaid = self { true } else { false } }
    }

    private func next(after entries: [Entry]) -> Next? {
        let element = request.operation == .listObjects ? "NextMarker" : "NextKeyMarker"
        if let marker = listing.child(element), !marker.text.isEmpty {
            // Stores exist that encode keys and not this; it mostly is a name of the page.
            let isPlain = entries.contains { $0.stored.elementsEqual(marker.text.utf8) }
            return next(element, isPlain ? Array(marker.text.utf8) : encoding.decode(marker.text))
        }
        // The first version says it with a delimiter only: without one, the last key does. Where that is not shown, or a
        // store forgot, the last name of the page does.
        guard request.operation == .listObjects, !entries.isEmpty else { return .unsaid }
        let isSaid = (request.listedDelimiter ?? []).isEmpty && entries.contains { $0.shown?.name == "Contents" }
        guard !isSaid, let last = entries.map(\.stored).max(by: { $0.lexicographicallyPrecedes($1) }) else {
            return .unsaid
        }
        return next(element, last)
    }

    /// Behind every name that a slot's quarantine has, and writable in XML.
    private static let last = Array("\u{10FFFD}".utf8)

    private func next(_ element: String, _ stored: [UInt8]) -> Next? {
        if let shown = backend.shown(stored) {
            guard isHidden(shown) else { return shown.isEmpty ? nil : .marker(element: element, shown, isMoved: false) }
            // Behind what is hidden under this spelling of it: others lie elsewhere in the order.
            let length = (1...shown.count).first { FoldedName(Array(shown.prefix($0))).bytes == hidden.bytes }
            let moved = shown.prefix(length ?? shown.count) + Self.last
            guard shown.lexicographicallyPrecedes(moved) else { return nil }
            return .marker(element: element, Array(moved), isMoved: true)
        }
        // Behind the prefix nothing follows that is ours; before it, the store does not know where it is.
        return backend.prefix.lexicographicallyPrecedes(stored) ? .end : nil
    }

    // MARK: - Entries

    private struct Entry {
        /// The name at the store.
        let stored: [UInt8]
        /// As the client sees it; nil: not at all.
        let shown: XMLNode?
    }

    /// An entry without a name, with two, or from outside the prefix is not shown; nor is the prefix itself where it is
    /// an object: here it would be one without a name.
    private func entry(_ node: XMLNode) -> Entry {
        let name = Self.names[node.name] ?? ""
        let named = node.children(named: name)
        guard named.count == 1, let text = named.first?.text else { return Entry(stored: [], shown: nil) }
        let stored = encoding.decode(text)
        guard let shown = backend.shown(stored), !shown.isEmpty, !isHidden(shown) else {
            return Entry(stored: stored, shown: nil)
        }
        let rewritten = String(decoding: encoding.encode(shown), as: UTF8.self)
        return Entry(
            stored: stored,
            shown: node.mapChildren { $0.name == name ? $0.withText(rewritten) : $0 }
        )
    }

    private func said(_ parameter: StaticString, in node: XMLNode) -> XMLNode {
        let value = request.query.first(parameter) ?? []
        let isPlain = node.text.utf8.elementsEqual(backend.prefix + value)
        return node.withText(String(decoding: isPlain ? value : encoding.encode(value), as: UTF8.self))
    }

    /// A marker that lies before the prefix begins where the prefix does.
    private func shownOrEmpty(_ node: XMLNode) -> XMLNode {
        guard !node.text.isEmpty, let shown = backend.shown(encoding.decode(node.text)) else {
            return node.withText("")
        }
        return node.withText(String(decoding: encoding.encode(shown), as: UTF8.self))
    }
}
