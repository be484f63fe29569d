import HTTP1

/// What is put around a store's answer before the client gets it, by whoever knows more of the request than its store.
///
/// It is shown the answer that ends the request and none of those before, however many exchanges that takes: what is
/// said once about a request can't be forgotten between two of them.
protocol AnswerView: Sendable {
    /// An answer whose body goes through as it comes.
    ///
    /// - Parameter head: of the store's last answer.
    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer

    /// An answer of our own: an error in our words, or what became of a document.
    func replied(_ reply: Reply, to head: ResponseHead) -> Reply
}

extension AnswerView {
    func replied(_ reply: Reply, to head: ResponseHead) -> Reply { reply }
}

extension Forward {
    /// The same, with this view of the answer that ends the request.
    func seen(through view: some AnswerView) -> Forward {
        Forward(self) { [answer] head in answer(head).seen(through: view, head) }
    }
}

extension Answer {
    fileprivate func seen(through view: some AnswerView, _ head: ResponseHead) -> Answer {
        switch self {
        case .stream(let status, let fields): view.carried(status, fields, of: head)
        case .reply(let reply): .reply(view.replied(reply, to: head))
        case .collect(let limit, let then): .collect(limit: limit) { body in then(body).seen(through: view, head) }
        }
    }
}

extension Plan {
    /// - Parameter head: of the store's answer that this follows.
    fileprivate func seen(through view: some AnswerView, _ head: ResponseHead) -> Plan {
        switch self {
        case .reply(let reply): .reply(view.replied(reply, to: head))
        case .forward(let next): .forward(next.seen(through: view))
        case .collect(let limit, let then):
            .collect(limit: limit) { body in then(body).seen(through: view, head) }
        case .wait(let make): .wait { await make().seen(through: view, head) }
        // Not the store's answer any more: what is decided again is seen by what is decided then.
        case .readForm, .reconsider, .issue, .transfer: self
        }
    }
}
