public import HTTP1
public import S3API
public import WireFormats

extension S3Backend {
    /// One exchange, always: the store speaks as clients do.
    public func exchange(
        for request: S3Request,
        head: RequestHead,
        body: OutgoingBody,
        copyingFrom source: (any Backend)?,
        view: ClientView,
        at now: Instant
    ) throws(S3Error) -> Exchange {
        var body = body
        if case .deletion(let entries) = body { body = .rewritten(try deleteDocument(entries)) }
        let signed = try self.request(
            for: request,
            head: head,
            body: body,
            copyingFrom: source as? S3Backend,
            at: now
        )
        return Exchange(signed, body.inExchange) { [self] in answer(to: request, head: $0, view: view) }
    }
}

extension OutgoingBody {
    /// What of it goes with a request that is passed on.
    fileprivate var inExchange: Exchange.Body {
        switch self {
        case .none, .deletion: .none
        case .stream, .trailing, .computed, .checked: .carried
        case .document(let bytes), .rewritten(let bytes): .document(bytes)
        }
    }
}
