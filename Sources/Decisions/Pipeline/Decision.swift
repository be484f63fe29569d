public import Admission
import HTTP1
public import Identity
public import S3API
public import WireFormats

/// What the pipeline made of a request: what to do, and what the logs shall say.
public struct Decision: Sendable {
    public internal(set) var plan: Plan
    public var client: IPAddress?
    /// Nil where the caller is not known.
    public var principal: Principal?
    /// A label of a closed list.
    public var operation: StaticString = "none"
    public var bucket: BucketName?
    public var key: ObjectKey?
    /// What a copy reads.
    public var copied: CopySource?
    public var outcome: Outcome = .undecided
    /// Why, for logs only.
    public var reason = ""
    /// How the caller was known, where that is worth a word in the logs; already part of ``reason``.
    var remark: StaticString = ""
    /// Something has to be read before anything is decided.
    var isPreliminary = false
    /// Where authentication failed: why, as a label of a closed list; also where that is limited, not told.
    public var failure: StaticString?
    /// Field lines of the bucket; empty: those of the server.
    public var hardening: [UInt8] = []
    /// The path is a route's: an error names it instead of a bucket.
    public internal(set) var isOfRoute = false
    /// What the answer says to browsers; nil: nothing.
    public internal(set) var crossOrigin: CrossOriginFields?
    /// What the answer tells caches on the way.
    public internal(set) var caching = CacheTerms.asStored
    /// What the request holds of its principal's limits until it ends.
    public var permit: Limiter.Permit?

    /// Whether it stands: not where something has to be found out before anything is decided.
    public var isFinal: Bool {
        if isPreliminary { return false }
        switch plan {
        case .wait: return outcome != .undecided
        case .readForm: return false
        default: return true
        }
    }

    /// From here on the answer may tell that the bucket is there, and what it is like: its caller has a right in it.
    mutating func disclose(_ bucket: Bucket?, to head: RequestHead) {
        hardening = bucket?.hardening ?? []
        crossOrigin = bucket?.crossOrigin?.fields(for: head)
    }

    public enum Outcome: Sendable {
        case allowed, denied, unauthenticated, limited, undecided
    }
}
