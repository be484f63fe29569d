import HTTP1
import NIOCore
import Pipeline
import S3API
import Testing

extension Decision {
    /// The answer that was decided on at once.
    func reply(_ location: SourceLocation = #_sourceLocation) throws -> Reply {
        try plan.reply(location)
    }

    func forward(_ location: SourceLocation = #_sourceLocation) throws -> Forward {
        try plan.forward(location)
    }

    var operationName: String { "\(operation)" }
    var failureName: String { failure?.description ?? "none" }
}

extension Plan {
    func reply(_ location: SourceLocation = #_sourceLocation) throws -> Reply {
        guard case .reply(let reply) = self else {
            Issue.record("no reply but \(summary)", sourceLocation: location)
            throw OtherPlan()
        }
        return reply
    }

    func forward(_ location: SourceLocation = #_sourceLocation) throws -> Forward {
        guard case .forward(let forward) = self else {
            Issue.record("no forward but \(summary)", sourceLocation: location)
            throw OtherPlan()
        }
        return forward
    }

    /// What follows once the client's body is there.
    func given(body: String, _ location: SourceLocation = #_sourceLocation) throws -> Plan {
        guard case .collect(let limit, let then) = self else {
            Issue.record("no body is wanted but \(summary)", sourceLocation: location)
            throw OtherPlan()
        }
        #expect(body.utf8.count <= limit)
        return then(Array(body.utf8))
    }

    private var summary: String {
        switch self {
        case .reply(let reply): "\(reply.status) \(text(reply.body))"
        case .forward(let forward): "\(forward.request.method.name) \(text(forward.request.path))"
        case .collect: "a body is wanted"
        case .transfer: "a copy between stores"
        case .wait: "something is to be found out"
        case .reconsider: "to be decided again"
        case .readForm: "a form is to be read"
        case .issue: "something is to be handed out"
        }
    }
}

struct OtherPlan: Error {}

extension Forward {
    var target: String { text(request.path) + (request.query.isEmpty ? "" : "?" + text(request.query)) }

    var document: String? {
        guard case .bytes(let bytes) = body else { return nil }
        return text(bytes)
    }

    /// What the store gets when the client sends `sent`, so many bytes at a time.
    func stored(_ sent: String, piece: Int = .max) throws -> String {
        guard case .stream(let verifier) = body else { throw OtherPlan() }
        guard var verifier else { return sent }
        var stored: [UInt8] = []
        var rest = Array(sent.utf8)[...]
        while !rest.isEmpty {
            for free in try verifier.take(ByteBuffer(bytes: rest.prefix(piece))) {
                stored.append(contentsOf: free.readableBytesView)
            }
            rest = rest.dropFirst(piece)
        }
        for rest in try verifier.finish() { stored.append(contentsOf: rest.readableBytesView) }
        return text(stored)
    }

    /// What the client's body goes through.
    func verifier() throws -> BodyVerifier? {
        guard case .stream(let verifier) = body else { throw OtherPlan() }
        return verifier
    }

    /// Why the store does not get a body.
    func refusal(of sent: String, piece: Int = .max) -> S3Error? {
        do {
            _ = try stored(sent, piece: piece)
            return nil
        } catch {
            return error as? S3Error
        }
    }

    func given(_ status: Int, _ fields: [(String, String)] = [], framing: BodyFraming = .length(100)) -> Answer {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        return answer(ResponseHead(status: status, fields: block, framing: framing))
    }

    /// What follows when the store answers with a document.
    func given(_ status: Int, document: String, _ location: SourceLocation = #_sourceLocation) throws -> Plan {
        guard case .collect(let limit, let then) = given(status) else {
            Issue.record("the document is not read", sourceLocation: location)
            throw OtherPlan()
        }
        #expect(document.utf8.count <= limit)
        return then(Array(document.utf8))
    }
}

extension Forward {
    /// What the client is told where the store refuses, once its document has been read, if it is wanted.
    func refused(_ status: Int, _ fields: [(String, String)] = [], document: String = "") throws -> Reply {
        switch given(status, fields) {
        case .stream: throw OtherPlan()
        case .reply(let reply): return reply
        case .collect(_, let then): return try then(Array(document.utf8)).reply()
        }
    }
}

extension Reply {
    var text: String { PipelineTests.text(body) }
    /// The error's code, in either form.
    var code: String? {
        for (start, end) in [("<Code>", "<"), ("\"code\":\"", "\"")] {
            guard let found = text.firstRange(of: start) else { continue }
            return String(text[found.upperBound...].prefix { String($0) != end })
        }
        return nil
    }

    var isJSON: Bool { fields.string("content-type") == "application/json" }
}

/// That a decision is this refusal, and nothing reaches a store.
func expect(
    _ status: Int,
    _ code: S3Error.Code?,
    _ decision: Decision,
    _ location: SourceLocation = #_sourceLocation
) throws {
    let reply = try decision.reply(location)
    #expect(reply.status == status, sourceLocation: location)
    #expect(reply.code == code?.name, sourceLocation: location)
}
