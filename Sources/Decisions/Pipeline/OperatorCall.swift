public import Admission
import HTTP1
public import Identity
public import WireFormats

extension APICall {
    /// A call that the operator makes on somebody's account: nobody shows a credential, and it may do what that entry of
    /// the configuration permits, no more. Nil where there is no entry by that name: only users and access keys have one;
    /// and where nothing of theirs is good, until that is lifted.
    ///
    /// - Parameters:
    ///   - path: behind `/-/v1/`.
    ///   - source: where the operator is, for the log.
    public init?(
        onAccountOf principal: Principal,
        _ path: [String],
        _ body: [UInt8],
        from source: String,
        under snapshot: Snapshot,
        revocations: RevocationTable?,
        authorizer: any Authorizer,
        at now: Instant,
        requestID: RequestID
    ) {
        var fields = FieldBlock()
        fields.append("content-type", "application/json")
        let head = RequestHead(
            method: .post,
            path: Array("/-/v1/".utf8) + Array(path.joined(separator: "/").utf8),
            fields: fields,
            framing: .length(Int64(body.count)),
            host: []
        )
        let asking = Asking(
            head: head,
            origin: RequestOrigin(client: nil, peer: nil, isSecure: true, host: []),
            snapshot: snapshot,
            authorizer: authorizer,
            now: now,
            requestID: requestID,
            state: KnownState(revocations: revocations)
        )
        guard !asking.isBlocked(.principal(principal)), let rights = Rights(ofEntry: principal, asking) else {
            return nil
        }
        self.init(
            head: head,
            path: path,
            query: Query(),
            body: body,
            caller: rights,
            source: source,
            requestID: requestID,
            now: now
        )
    }
}
