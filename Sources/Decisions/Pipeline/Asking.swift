import Admission
import HTTP1
import S3API
import Signatures
import WireFormats

/// One request with all that the stages need to know of it.
final class Asking: Sendable {
    let head: RequestHead
    let origin: RequestOrigin
    let snapshot: Snapshot
    let authorizer: any Authorizer
    let now: Instant
    let requestID: RequestID
    /// The path of a route, as sent; nil: the path is S3's or reserved.
    let ownPath: [UInt8]?

    let state: KnownState
    var grants: GrantTable? { state.grants }
    var revocations: RevocationTable? { state.revocations }
    /// Grants that have no use left.
    let spentGrants: Set<String>

    init(
        head: RequestHead,
        origin: RequestOrigin,
        snapshot: Snapshot,
        authorizer: any Authorizer,
        now: Instant,
        requestID: RequestID,
        ownPath: [UInt8]? = nil,
        state: KnownState,
        spentGrants: Set<String> = []
    ) {
        self.ownPath = ownPath
        self.state = state
        self.spentGrants = spentGrants
        self.head = head
        self.origin = origin
        self.snapshot = snapshot
        self.authorizer = authorizer
        self.now = now
        self.requestID = requestID
    }

    /// The same as another request, for the same caller.
    func with(head: RequestHead) -> Asking {
        Asking(
            head: head,
            origin: origin,
            snapshot: snapshot,
            authorizer: authorizer,
            now: now,
            requestID: requestID,
            ownPath: ownPath,
            state: state,
            spentGrants: spentGrants
        )
    }

    /// An error in the form that this client reads.
    func reply(_ error: S3Error) -> Reply {
        errors.reply(
            error,
            details: error.code == .requestTimeTooSkewed ? skew : [],
            requestID: requestID
        )
    }

    /// What tells clients by how much their clock is wrong, as S3 says it; SDKs set theirs by it.
    private var skew: [(name: StaticString, value: String)] {
        var details: [(name: StaticString, value: String)] = []
        if let sent = head.fields.string("x-amz-date") ?? head.fields.string("date") {
            details.append(("RequestTime", sent))
        }
        details.append(("ServerTime", Timestamp.iso8601(now)))
        details.append(("MaxAllowedSkewMilliseconds", String(SigV4.maxClockSkew.components.seconds * 1000)))
        return details
    }

    /// How this client reads errors.
    var errors: ErrorAnswer { ErrorAnswer(head, on: origin.host, under: snapshot, ownPath: ownPath) }

    /// Where no path of ours is.
    var nothingHere: Reply {
        errors.reply(
            code: "NotFound",
            message: "There is nothing here.",
            status: 404,
            retryAfter: nil,
            requestID: requestID
        )
    }
}
