import S3API
import WireFormats

extension Backend {
    /// The query of a listing at a store that lists as S3 does: the client's without what only carried its signature, and
    /// with everything that names keys moved under the prefix.
    ///
    /// - Parameter hidden: what keys that are left out begin with; empty: none are left out.
    func listingQuery(for request: S3Request, hiding hidden: FoldedName) throws(S3Error) -> Query {
        var query = Query()
        if prefix.isEmpty, !request.mayShow(hidden) {
            request.query.forEach { name, value, _ in
                if S3Operation.knowsParameter(name) { query.append(name, value) }
            }
        } else {
            try appendListing(request, to: &query)
        }
        return query
    }

    private func appendListing(_ request: S3Request, to query: inout Query) throws(S3Error) {
        try request.query.forEach { (name, value, _) throws(S3Error) in
            guard S3Operation.knowsParameter(name) else { return }
            switch ListingParameter(name) {
            case .prefix: return
            case .marker:
                // An empty marker means the beginning, not the prefix itself.
                if !value.isEmpty { query.append(name, prefix + value) }
            case .token:
                guard let token = ContinuationToken(for: request, at: self).opened(value) else {
                    throw S3Error(.invalidArgument, "The continuation token provided is incorrect")
                }
                query.append(name, token)
            case .pageSize:
                let isLonger = decimal(value).map { $0 > longestPage } ?? false
                query.append(name, isLonger ? Array(String(longestPage).utf8)[...] : value)
            case nil: query.append(name, value)
            }
        }
        let listed = request.listedPrefix ?? []
        guard !prefix.isEmpty else {
            if let given = request.query.first("prefix") { query.append("prefix".utf8, given) }
            return
        }
        query.append("prefix".utf8, prefix + listed)
        // The prefix itself may be an object at the store, which here has no name: the listing begins behind it, so that
        // pages are as long as they should be.
        if listed.isEmpty, let marker = request.absentMarker { query.append(marker.utf8, prefix) }
    }
}

/// The longest page that is asked for where the answer must be rewritten: S3's own bound.
private let longestPage = 1000

/// What becomes of a listing's parameter on the way under a prefix; nil: nothing.
private enum ListingParameter {
    case prefix, marker, token, pageSize

    init?(_ name: ArraySlice<UInt8>) {
        if name.elementsEqual("prefix".utf8) {
            self = .prefix
        } else if name.elementsEqual("continuation-token".utf8) {
            self = .token
        } else if Self.markers.contains(where: { name.elementsEqual($0.utf8) }) {
            self = .marker
        } else if Self.pageSizes.contains(where: { name.elementsEqual($0.utf8) }) {
            self = .pageSize
        } else {
            return nil
        }
    }

    private static let markers = ["marker", "start-after", "key-marker"]
    private static let pageSizes = ["max-keys", "max-uploads"]
}

extension S3Request {
    /// Whether a listing may come upon keys that begin with this and are left out: its tokens are sealed then, as stores use
    /// keys for them.
    func mayShow(_ hidden: FoldedName) -> Bool {
        guard !hidden.bytes.isEmpty else { return false }
        let listed = FoldedName(listedPrefix ?? [])
        return hidden.bytes.starts(with: listed.bytes) || hidden.begins(listed.bytes)
    }

    /// The parameter that says where the listing begins, where the client said nothing about it. None for uploads: stores
    /// exist that order them by something else than their keys, and show nothing behind a marker that is no upload's.
    fileprivate var absentMarker: String? {
        let (marker, others): (StaticString, [StaticString]) =
            switch operation {
            case .listObjects: ("marker", [])
            case .listObjectsV2: ("start-after", ["continuation-token"])
            case .listObjectVersions: ("key-marker", ["version-id-marker"])
            default: ("", [])
            }
        guard marker.utf8CodeUnitCount > 0 else { return nil }
        let isGiven = ([marker] + others).contains { query.first($0).map { !$0.isEmpty } ?? false }
        return isGiven ? nil : marker.description
    }
}
