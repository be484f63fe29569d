import GRDB
import S3API
import WireFormats

/// What a key shows and what it showed before, over the tables `object` and `version`: where a write puts the
/// version before it, and what a deletion leaves (S3 User Guide, "How S3 Versioning works"). A bucket that was never
/// versioned touches `object` alone.
struct History {
    let database: Database
    let bucket: BucketState
    let key: ObjectKey

    init(_ database: Database, _ bucket: BucketState, _ key: ObjectKey) {
        self.database = database
        self.bucket = bucket
        self.key = key
    }

    /// A version that was asked for, or what the key shows.
    enum Found: Sendable {
        case object(StoredObject, isCurrent: Bool)
        case marker(DeleteMarker)
    }

    /// What a deletion did.
    struct Deletion: Sendable {
        /// The delete marker that hides the key now, or was removed; nil where none is concerned.
        var marker: VersionName?
        var retired: RetiredContent?
    }

    // MARK: Finding

    /// - Parameter version: nil: what the key shows; a marker where a delete marker hides it.
    func find(_ version: VersionName?) throws -> Found? {
        let current = try current()
        guard let version else {
            if let current { return .object(current, isCurrent: true) }
            guard bucket.versioning != .never,
                case .marker(let marker) = try VersionTable.newest(database, bucket: bucket.number, key: key)
            else { return nil }
            return .marker(marker)
        }
        if let current, current.version == version { return .object(current, isCurrent: true) }
        guard bucket.versioning != .never else { return nil }
        switch try VersionTable.find(database, bucket: bucket.number, key: key, version) {
        case .object(var object):
            object.versionID = bucket.versionID(object.version)
            return .object(object, isCurrent: false)
        case .marker(let marker): return .marker(marker)
        case nil: return nil
        }
    }

    /// The object that the key shows.
    func current() throws -> StoredObject? {
        var object = try ObjectTable.find(database, bucket: bucket.number, key: key)
        if let found = object { object?.versionID = bucket.versionID(found.version) }
        return object
    }

    // MARK: Writing

    /// Makes an object what the key shows. Returns it as it is kept, and what has lost its row.
    func put(_ object: StoredObject, segments: [Segment] = []) throws -> (StoredObject, RetiredContent?) {
        let present = try ObjectTable.find(database, bucket: bucket.number, key: key)
        var object = object
        object.isNamed = bucket.versioning == .enabled
        object.versionID = bucket.versionID(object.version)
        let retired = try makeRoom(for: present, sequence: &object.sequence, at: object.modified)
        try ObjectTable.insert(database, bucket: bucket.number, key: key, object, segments: segments)
        return (object, retired)
    }

    /// Deletes what the key shows: for good, or in a versioned bucket by hiding it behind a delete marker.
    /// - Parameter content: the marker's name.
    func delete(marking content: ContentID, at instant: Instant) throws -> Deletion {
        let present = try ObjectTable.find(database, bucket: bucket.number, key: key)
        guard bucket.versioning != .never else {
            let retired = try present.map {
                try ObjectTable.delete(database, bucket: bucket.number, key: key, $0)
            }
            return Deletion(retired: retired)
        }
        var sequence: Int64 = 0
        let retired = try makeRoom(for: present, sequence: &sequence, at: instant)
        let marker = DeleteMarker(
            content: content,
            modified: instant,
            isNamed: bucket.versioning == .enabled,
            sequence: sequence
        )
        try VersionTable.insert(database, bucket: bucket.number, key: key, marker)
        return Deletion(marker: marker.version, retired: retired)
    }

    /// Deletes one version for good. What was before it shows again where it was the newest.
    func delete(_ version: VersionName) throws -> Deletion {
        switch try find(version) {
        case nil: return Deletion()
        case .object(let object, isCurrent: true):
            let retired = try ObjectTable.delete(database, bucket: bucket.number, key: key, object)
            try promote()
            return Deletion(retired: retired)
        case .object(let object, isCurrent: false):
            try VersionTable.remove(database, bucket: bucket.number, key: key, sequence: object.sequence)
            return Deletion(retired: try ObjectTable.retire(database, object))
        case .marker(let marker):
            try VersionTable.remove(database, bucket: bucket.number, key: key, sequence: marker.sequence)
            if try ObjectTable.find(database, bucket: bucket.number, key: key) == nil { try promote() }
            return Deletion(marker: marker.version)
        }
    }

    /// Changes what is kept with a version beside its bytes.
    func update(_ object: StoredObject, isCurrent: Bool) throws {
        if isCurrent {
            try ObjectTable.update(database, bucket: bucket.number, key: key, fields: object.fields)
        } else {
            try VersionTable.update(
                database,
                bucket: bucket.number,
                key: key,
                sequence: object.sequence,
                fields: object.fields
            )
        }
    }

    /// Clears `object` of the key, and the key of its null version where the next one is null too. Returns what has
    /// lost its row.
    private func makeRoom(
        for present: StoredObject?,
        sequence: inout Int64,
        at instant: Instant
    ) throws -> RetiredContent? {
        guard bucket.versioning != .never else {
            return try present.map { try ObjectTable.delete(database, bucket: bucket.number, key: key, $0) }
        }
        let newest =
            try present?.sequence ?? VersionTable.newest(database, bucket: bucket.number, key: key)?.sequence
        // Clocks go back; the order of a key's versions does not.
        sequence = max(instant.nanosecondsSince1970, (newest ?? 0) + 1)
        if let present, !present.isNamed, bucket.versioning == .suspended {
            return try ObjectTable.delete(database, bucket: bucket.number, key: key, present)
        }
        if present != nil { try VersionTable.archive(database, bucket: bucket.number, key: key) }
        guard bucket.versioning == .suspended,
            let null = try VersionTable.find(database, bucket: bucket.number, key: key, .null)
        else { return nil }
        try VersionTable.remove(database, bucket: bucket.number, key: key, sequence: null.sequence)
        guard case .object(let object) = null else { return nil }
        return try ObjectTable.retire(database, object)
    }

    /// Lets the newest of the earlier versions show, where it is no delete marker.
    private func promote() throws {
        guard bucket.versioning != .never,
            case .object(let object) = try VersionTable.newest(database, bucket: bucket.number, key: key)
        else { return }
        try VersionTable.remove(database, bucket: bucket.number, key: key, sequence: object.sequence)
        // Its segments are where they were.
        try ObjectTable.insert(database, bucket: bucket.number, key: key, object, segments: [])
    }
}
