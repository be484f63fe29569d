import HTTP1
import S3API
public import WireFormats

/// A store's word that something happened to an object: known by a token of its own, and only ever a reason to ask the
/// store.
public struct EventPush: Sendable {
    /// What has arrived, from somebody who showed the token of `source`.
    public struct Delivered: Sendable {
        /// The account or bucket that it is about.
        public let source: String
        public let body: [UInt8]
        public let snapshot: Snapshot
        public let requestID: RequestID
        public let now: Instant
    }

    /// A batch of events.
    private static let longestBody = 1 << 20

    private let source: String

    /// - Throws: `InvalidBearerToken` for whoever does not show the token of the source named, and for sources without.
    init(_ asking: Asking) throws(Refusal) {
        guard asking.head.method == .post else { throw .request(S3Error(.methodNotAllowed)) }
        guard let query = try? Query(parsing: asking.head.query ?? []), query.count(of: "source") == 1,
            let source = query.first("source").flatMap({ String(validating: $0, as: UTF8.self) })
        else { throw .request(S3Error(.invalidArgument, "'source' names the account or bucket of the events.")) }
        let shown = asking.head.fields.count(of: "authorization") == 1 ? asking.head.fields.first("authorization") : nil
        let scheme = "bearer ".utf8
        // A source that nobody configured takes as long as a wrong token.
        let known = asking.snapshot.uploads.eventTokens[source]?.reveal() ?? ""
        let isBearer = shown.map { $0.prefix(scheme.count).map { lowered($0) }.elementsEqual(scheme) } ?? false
        let token = isBearer ? shown?.dropFirst(scheme.count) ?? [] : []
        guard constantTimeEqual(Array(token), Array(known.utf8)), !known.isEmpty else {
            throw .unauthenticated(S3Error(.invalidBearerToken), reason: "event token", failure: "event_token")
        }
        self.source = source
    }

    func plan(_ asking: Asking, at desk: any APIDesk) throws(Refusal) -> Plan {
        if case .length(let length) = asking.head.framing, length > Int64(Self.longestBody) {
            throw .request(S3Error(.maxMessageLengthExceeded))
        }
        return .collect(limit: Self.longestBody) { body in
            let delivered = Delivered(
                source: source,
                body: body,
                snapshot: asking.snapshot,
                requestID: asking.requestID,
                now: asking.now
            )
            return .wait { .reply(await desk.take(delivered)) }
        }
    }
}
