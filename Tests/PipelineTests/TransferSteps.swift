import HTTP1
import Pipeline
import Testing
import WireFormats

extension Decision {
    /// The first step of the copy between stores that was decided on.
    func transfer(_ location: SourceLocation = #_sourceLocation) throws -> TransferStep {
        guard case .transfer(let transfer) = plan else {
            Issue.record("no transfer but \(plan)", sourceLocation: location)
            throw OtherPlan()
        }
        return transfer.first
    }
}

extension TransferStep {
    func question(_ location: SourceLocation = #_sourceLocation) throws -> StoreQuestion {
        guard case .ask(let question) = self else {
            Issue.record("no question but \(summary)", sourceLocation: location)
            throw OtherPlan()
        }
        return question
    }

    func carriage(_ location: SourceLocation = #_sourceLocation) throws -> Carriage {
        guard case .carry(let carriage) = self else {
            Issue.record("nothing is carried but \(summary)", sourceLocation: location)
            throw OtherPlan()
        }
        return carriage
    }

    func reply(_ location: SourceLocation = #_sourceLocation) throws -> Reply {
        guard case .finish(let reply) = self else {
            Issue.record("not the end but \(summary)", sourceLocation: location)
            throw OtherPlan()
        }
        return reply
    }

    private var summary: String {
        switch self {
        case .ask(let question): question.request.summary
        case .carry(let carriage): "carrying from \(carriage.request.summary)"
        case .finish(let reply): "\(reply.status) \(text(reply.body))"
        }
    }
}

extension OutgoingRequest {
    /// Method, authority, path and query.
    var summary: String {
        "\(method.name) \(fields.string("host") ?? "")\(text(path))" + (query.isEmpty ? "" : "?" + text(query))
    }
}

extension StoreReply {
    init(_ status: Int, _ fields: [(String, String)] = [], _ body: String = "", at now: Instant = noon) {
        self.init(
            head: .made(status, fields, length: body.isEmpty ? nil : Int64(body.utf8.count)),
            body: Array(body.utf8),
            now: now
        )
    }
}

extension ResponseHead {
    static func made(_ status: Int, _ fields: [(String, String)] = [], length: Int64? = nil) -> ResponseHead {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        return ResponseHead(status: status, fields: block, framing: length.map { .length($0) } ?? .none)
    }
}

extension Carriage {
    /// The delivery of a source that answers 200 or 206 with so many bytes.
    func delivery(
        _ status: Int = 200,
        _ fields: [(String, String)] = [],
        length: Int64,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> Delivery {
        guard case .deliver(let delivery) = begin(.made(status, fields, length: length), noon) else {
            Issue.record("nothing is delivered", sourceLocation: location)
            throw OtherPlan()
        }
        return delivery
    }

    /// What follows where the source answers with something else.
    func left(
        _ status: Int,
        _ fields: [(String, String)] = [],
        length: Int64 = 0,
        _ location: SourceLocation = #_sourceLocation
    ) throws -> TransferStep {
        guard case .leave(let then) = begin(.made(status, fields, length: length), noon) else {
            Issue.record("it is delivered", sourceLocation: location)
            throw OtherPlan()
        }
        return then(StoreReply(status, fields))
    }
}

/// What the source's store says of an object.
func described(_ length: Int64, _ more: [(String, String)] = []) -> StoreReply {
    StoreReply(200, [("content-length", String(length)), ("etag", "\"e\"")] + more)
}

/// A request to copy from the store in the south to the one in the north.
func farCopy(_ fields: [(String, String)] = [], to target: String = "/photos/b.txt") -> Call {
    Call("PUT", target, [("x-amz-copy-source", "/far/dir/a%20b")] + fields, length: 0)
}

extension Call {
    /// The first step for somebody who may do everything.
    func transfer(_ location: SourceLocation = #_sourceLocation) throws -> TransferStep {
        var gate = Gate()
        return try gate.decide(by(.root)).transfer(location)
    }
}
