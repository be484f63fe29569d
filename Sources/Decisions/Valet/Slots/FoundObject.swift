import WireFormats

/// What a store says is under a key: of a HEAD's answer, as far as slots depend on it.
public struct FoundObject: Hashable, Sendable {
    /// With its quotes, as stores write it.
    public let etag: String
    public let size: Int64
    public let contentType: String
    public let versionID: String?
    /// Of the whole object, where the store keeps one or its bytes were read for it: 32 bytes.
    public let sha256: [UInt8]?
    /// Nil of an object that was looked at before: they are not kept.
    public let properties: ObjectProperties?

    public init(
        etag: String,
        size: Int64,
        contentType: String,
        versionID: String? = nil,
        sha256: [UInt8]? = nil,
        properties: ObjectProperties? = nil
    ) {
        self.etag = etag
        self.size = size
        self.contentType = contentType
        self.versionID = versionID
        self.sha256 = sha256
        self.properties = properties
    }

    /// The same with the checksum of its bytes, which were read.
    public func measured(_ sha256: [UInt8]) -> FoundObject {
        FoundObject(
            etag: etag,
            size: size,
            contentType: contentType,
            versionID: versionID,
            sha256: sha256,
            properties: properties
        )
    }
}

/// What the store's word means for a slot.
public enum SlotJudgement: Hashable, Sendable {
    /// Nothing was uploaded: no object, or the very one that was there before, whatever it looks like.
    case notFound
    /// Something was, and it is not what was promised. Never empty.
    case mismatch([UploadSlot.Cause])
    case matches
}

extension UploadSlot {
    /// Whether an object may be the copy of another that the slot was completed with, though their ETags differ: it has all
    /// that such a copy is given.
    public func mayBeCopied(_ source: FoundObject, as copy: FoundObject) -> Bool {
        !prior.isStill(copy) && copy.size == source.size && isSameMediaType(copy.contentType, contentType)
            && copy.properties.map { $0 == properties } ?? false
    }
}

extension UploadSlot.Prior {
    /// Whether that object is what was there before.
    public func isStill(_ found: FoundObject) -> Bool {
        guard case .object(let etag, let versionID) = self else { return false }
        return etag == found.etag && named(versionID) == named(found.versionID)
    }
}

/// How an object is known to have come to where it is.
public enum Arrival: Hashable, Sendable {
    /// It is there.
    case seen
    /// The store was told to put it there, and said that it did.
    case made
}

extension UploadSlot {
    /// Compares what is at the place of landing with what was promised.
    ///
    /// - Parameter found: nil where there is no object.
    public func judge(_ found: FoundObject?, _ arrival: Arrival = .seen) -> SlotJudgement {
        guard let found else { return .notFound }
        if arrival == .seen, landing == .direct, prior.isStill(found) { return .notFound }
        var differences: [Cause] = []
        if found.size != size { differences.append(.sizeMismatch) }
        if !isSameMediaType(found.contentType, contentType) { differences.append(.contentTypeMismatch) }
        // Of another size, an object whose checksum is not known differs enough.
        if let sha256, found.sha256 != sha256, found.sha256 != nil || found.size == size {
            differences.append(.checksumMismatch)
        }
        // What comes to its key by way of the quarantine is given its own there, whatever was put.
        if differences.isEmpty, landing == .direct, let others = found.properties, others != properties {
            differences.append(.metadataMismatch)
        }
        return differences.isEmpty ? .matches : .mismatch(differences)
    }
}

/// Versioning that is switched on in between gives the object that was there already the version `null` (S3 User Guide,
/// "How S3 Versioning works").
private func named(_ versionID: String?) -> String? {
    versionID == "null" ? nil : versionID
}

/// Whether two values of Content-Type say the same, however they write it. What is none is the same as nothing.
private func isSameMediaType(_ one: String, _ other: String) -> Bool {
    guard let one = try? MediaType(one), let other = try? MediaType(other) else { return false }
    return one == other
}
