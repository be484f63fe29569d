public import S3API
public import WireFormats

/// Permission to put one object under one exact key, once, for minutes: what was issued, and how far it has come.
///
/// A value: each thing that happens to it is a function that returns the slot as it is then, or says why that can't
/// happen to it any more. Whoever keeps slots replaces one only where nobody else did (``revision``), together with the
/// event that tells of it.
public struct UploadSlot: Hashable, Sendable {
    /// 32 lower-case hexadecimal digits: 128 random bits.
    public let id: String
    /// Who asked for it, as `user:NAME` and its like.
    public let issuer: String
    /// What they could ask for it by.
    public let grounds: [Ground]
    public let bucket: BucketName
    /// Where the object shall be in the end.
    public let key: ObjectKey
    public let contentType: String
    /// Of the object, in bytes.
    public let size: Int64
    /// Of the object, where the issuer knew it: 32 bytes.
    public let sha256: [UInt8]?
    public let metadata: [String: String]
    public let mode: Mode
    public let landing: Landing
    /// What was under the key when the slot was issued; where it may be overwritten and the slot lands elsewhere, nobody
    /// asked.
    public let prior: Prior
    /// Whether it may take the place of an object under the key.
    public let mayOverwrite: Bool
    /// Whether the store itself keeps the slot from being used twice.
    public let isOnce: Bool
    public let issuedAt: Instant
    public let expiresAt: Instant

    public internal(set) var state: State
    /// Of the store's multipart upload, once there is one.
    public internal(set) var multipart: Multipart?
    /// What was found when it completed.
    public internal(set) var result: FoundObject?
    /// Why it ended without completing.
    public internal(set) var cause: Cause?
    public internal(set) var finishedAt: Instant?
    /// Whether something may be left of it at the store that nobody needs: an open multipart upload, an object in
    /// quarantine, one that was rejected, or one that its URL brings though it was taken back. Kept with the slot, so that a crash doesn't leave it there.
    public internal(set) var hasLeftovers: Bool
    /// Counts up with every change.
    public internal(set) var revision: Int

    /// How the bytes come.
    public enum Mode: String, CaseIterable, Hashable, Sendable {
        case put, post, multipart
    }

    /// Where they come to.
    public enum Landing: Hashable, Sendable {
        /// Under the key itself, which a condition keeps from being overwritten.
        case direct
        /// Under another key first, and from there to the key on completion.
        case quarantine(ObjectKey)
    }

    public enum Prior: Hashable, Sendable {
        case absent
        case object(etag: String, versionID: String?)
    }

    public struct Multipart: Hashable, Sendable {
        public let uploadID: String
        /// Of every part but the last, in bytes.
        public let partSize: Int64

        public init(uploadID: String, partSize: Int64) {
            self.uploadID = uploadID
            self.partSize = partSize
        }
    }

    public enum State: String, CaseIterable, Hashable, Sendable {
        // → started | completed | rejected | expired | aborted
        case issued
        // → started (its multipart upload becomes known) | completed | rejected | expired | aborted
        case started
        // The end.
        case completed, rejected, expired, aborted

        public var isOpen: Bool {
            switch self {
            case .issued, .started: true
            case .completed, .rejected, .expired, .aborted: false
            }
        }
    }

    /// Why a slot ended without an object: a closed list, for metrics and events.
    public enum Cause: String, CaseIterable, Hashable, Sendable {
        case sizeMismatch = "size_mismatch"
        case contentTypeMismatch = "content_type_mismatch"
        case checksumMismatch = "checksum_mismatch"
        case metadataMismatch = "metadata_mismatch"
        case timeout
        case byIssuer = "by_issuer"
        case revoked
        case occupied
    }

    /// - Parameter random: 16 bytes nobody can guess.
    public init(
        random: [UInt8],
        issuer: String,
        grounds: [Ground] = [],
        bucket: BucketName,
        key: ObjectKey,
        contentType: String,
        size: Int64,
        sha256: [UInt8]? = nil,
        metadata: [String: String] = [:],
        mode: Mode,
        landing: Landing,
        prior: Prior,
        mayOverwrite: Bool = false,
        isOnce: Bool,
        multipart: Multipart? = nil,
        issuedAt: Instant,
        expiresAt: Instant
    ) {
        precondition(random.count == 16, "an id has 128 random bits")
        self.init(
            id: Hex.encode(random),
            issuer: issuer,
            grounds: grounds,
            bucket: bucket,
            key: key,
            contentType: contentType,
            size: size,
            sha256: sha256,
            metadata: metadata,
            mode: mode,
            landing: landing,
            prior: prior,
            mayOverwrite: mayOverwrite,
            isOnce: isOnce,
            issuedAt: issuedAt,
            expiresAt: expiresAt,
            progress: Progress(state: .issued, multipart: multipart)
        )
    }

    /// A slot as it was kept.
    public init(
        id: String,
        issuer: String,
        grounds: [Ground],
        bucket: BucketName,
        key: ObjectKey,
        contentType: String,
        size: Int64,
        sha256: [UInt8]?,
        metadata: [String: String],
        mode: Mode,
        landing: Landing,
        prior: Prior,
        mayOverwrite: Bool,
        isOnce: Bool,
        issuedAt: Instant,
        expiresAt: Instant,
        progress: Progress
    ) {
        self.id = id
        self.issuer = issuer
        self.grounds = grounds
        self.bucket = bucket
        self.key = key
        self.contentType = contentType
        self.size = size
        self.sha256 = sha256
        self.metadata = metadata
        self.mode = mode
        self.landing = landing
        self.prior = prior
        self.mayOverwrite = mayOverwrite
        self.isOnce = isOnce
        self.issuedAt = issuedAt
        self.expiresAt = expiresAt
        state = progress.state
        multipart = progress.multipart
        result = progress.result
        cause = progress.cause
        finishedAt = progress.finishedAt
        hasLeftovers = progress.hasLeftovers
        revision = progress.revision
    }

    /// The part of a slot that changes.
    public struct Progress: Hashable, Sendable {
        public var state: State
        public var multipart: Multipart?
        public var result: FoundObject?
        public var cause: Cause?
        public var finishedAt: Instant?
        public var hasLeftovers: Bool
        public var revision: Int

        public init(
            state: State,
            multipart: Multipart? = nil,
            result: FoundObject? = nil,
            cause: Cause? = nil,
            finishedAt: Instant? = nil,
            hasLeftovers: Bool = false,
            revision: Int = 0
        ) {
            self.state = state
            self.multipart = multipart
            self.result = result
            self.cause = cause
            self.finishedAt = finishedAt
            self.hasLeftovers = hasLeftovers
            self.revision = revision
        }
    }

    public var progress: Progress {
        Progress(
            state: state,
            multipart: multipart,
            result: result,
            cause: cause,
            finishedAt: finishedAt,
            hasLeftovers: hasLeftovers,
            revision: revision
        )
    }

    /// The key that the upload itself goes to.
    public var landingKey: ObjectKey {
        switch landing {
        case .direct: key
        case .quarantine(let key): key
        }
    }
}
