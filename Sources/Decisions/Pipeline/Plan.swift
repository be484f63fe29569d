import Backends
public import HTTP1
public import S3API

/// What is to be done with a request: a value, so that every decision can be tested without a socket. The data plane
/// performs it and asks for the next one where a plan has a continuation.
public enum Plan: Sendable {
    /// Answer at once. A body that the client is still sending is not read.
    case reply(Reply)
    /// Carry the request to a store and its answer back.
    case forward(Forward)
    /// Read the whole body, at most `limit` bytes, then decide.
    case collect(limit: Int, then: @Sendable ([UInt8]) -> Plan)
    /// Ask somebody who may take a while (a token's issuer, the state, the application), then do what comes of it. Runs
    /// outside of the event loop, and is cancelled when the client leaves or has waited too long.
    case wait(@Sendable () async -> Plan)
    /// Read a form's fields from the body, then decide once more, knowing them.
    indirect case readForm(FormReader, Findings)
    /// Decide once more, knowing what was found out.
    indirect case reconsider(Findings)
    /// Hand something out, write that down, and only then answer.
    case issue(Issuance)
    /// Copy between two stores that can't reach each other.
    case transfer(Transfer)
}

/// A complete answer of our own.
public struct Reply: Sendable {
    public var status: Int
    /// Names in lower case; framing and the headers every answer carries are added when it is written.
    public var fields: FieldBlock
    public var body: [UInt8]
    /// An error of another form once more as S3's document, for where it has to come inside of an answer that has begun.
    var document: [UInt8]?
    /// What the log shall say of it; empty: nothing.
    public var reason = ""
    /// What an error's document says, also where it has none: for whoever explains it.
    var error: (code: String, message: String)?

    public init(status: Int, fields: FieldBlock = FieldBlock(reservingBytes: 128, fields: 4), body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// What comes inside of a document's answer that has begun: without a declaration, which is one only at the beginning.
    public var bodyWithin: ArraySlice<UInt8> {
        let body = document ?? body
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>".utf8
        guard body.starts(with: declaration) else { return body[...] }
        return body.dropFirst(declaration.count).drop { $0 == UInt8(ascii: "\n") }
    }
}

/// One exchange with a store. It can only be made from an ``Admitted`` request, or from a ``Preflight``, which asks
/// nothing but what other origins may do.
public final class Forward: Sendable {
    public let upstream: Upstream
    public let request: OutgoingRequest
    public let body: ForwardedBody
    public let replay: Replay
    /// What the store's answer turns into, known once its head is.
    public let answer: @Sendable (ResponseHead) -> Answer

    public convenience init(
        admitted: Admitted,
        upstream: Upstream,
        request: OutgoingRequest,
        body: ForwardedBody,
        replay: Replay,
        answer: @escaping @Sendable (ResponseHead) -> Answer
    ) {
        _ = admitted
        self.init(upstream: upstream, request: request, body: body, replay: replay, answer: answer)
    }

    /// - Parameters:
    ///   - carried: the bytes that go along where the exchange says that some do.
    ///   - answer: what becomes of the store's.
    convenience init(
        admitted: Admitted,
        upstream: Upstream,
        exchange: Exchange,
        carrying carried: ForwardedBody,
        replay: Replay,
        answer: @escaping @Sendable (S3Answer) -> Answer
    ) {
        let body: ForwardedBody =
            switch exchange.body {
            case .none: .none
            case .document(let bytes): .bytes(bytes)
            case .carried: carried
            }
        self.init(
            admitted: admitted,
            upstream: upstream,
            request: exchange.request,
            body: body,
            replay: replay,
            answer: { answer(exchange.answer($0)) }
        )
    }

    /// The same exchange, with another answer to it.
    convenience init(_ other: Forward, answer: @escaping @Sendable (ResponseHead) -> Answer) {
        self.init(
            upstream: other.upstream,
            request: other.request,
            body: other.body,
            replay: other.replay,
            answer: answer
        )
    }

    public convenience init(
        preflight: Preflight,
        upstream: Upstream,
        request: OutgoingRequest,
        answer: @escaping @Sendable (ResponseHead) -> Answer
    ) {
        _ = preflight
        self.init(upstream: upstream, request: request, body: .none, replay: .allowed, answer: answer)
    }

    private init(
        upstream: Upstream,
        request: OutgoingRequest,
        body: ForwardedBody,
        replay: Replay,
        answer: @escaping @Sendable (ResponseHead) -> Answer
    ) {
        self.upstream = upstream
        self.request = request
        self.body = body
        self.replay = replay
        self.answer = answer
    }
}

/// The body that goes with a forwarded request.
public enum ForwardedBody: Sendable {
    case none
    case bytes([UInt8])
    /// The client's body, passed on as it arrives: through the verifier where anything is promised of it.
    case stream(BodyVerifier?)
}

/// What becomes of a store's answer.
public enum Answer: Sendable {
    /// Pass the body through under this status and these fields; framing is kept.
    case stream(status: Int, fields: FieldBlock)
    /// Read the body whole, at most `limit` bytes, then decide.
    case collect(limit: Int, then: @Sendable ([UInt8]) -> Plan)
    /// Leave the body and answer this.
    case reply(Reply)
}
