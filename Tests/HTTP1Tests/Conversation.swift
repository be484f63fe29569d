import HTTP1
import NIOCore

/// Everything one connection's bytes mean, message by message, as comparable values: the oracle of the split-point,
/// differential and fuzz tests. `Scripts/fuzz` compiles this file too.
struct Conversation {
    enum Side: Equatable {
        case requests
        /// Responses to requests of that method.
        case responses(to: HTTPMethod)
        /// The chunked body of a request, without a head.
        case requestChunks
        /// The chunked body of a response, without a head.
        case responseChunks
    }

    struct Message: Equatable {
        var start: String
        var fields: [[UInt8]] = []
        var framing = BodyFraming.none
        var isKeptAlive = true
        var body: [UInt8] = []
        var isComplete = false
    }

    private(set) var messages: [Message] = []
    private(set) var refusal: HTTPRefusal?

    private let side: Side
    private var buffer = ByteBuffer()
    private var requests: RequestParser
    private var responses: ResponseParser
    private var body: BodyDecoder?

    init(_ side: Side, limits: HeadLimits = HeadLimits()) {
        self.side = side
        requests = RequestParser(limits: limits)
        if case .responses(let method) = side {
            responses = ResponseParser(requestMethod: method, limits: limits)
        } else {
            responses = ResponseParser(requestMethod: .get, limits: limits)
        }
        if side == .requestChunks { beginBody(.chunked, .request) }
        if side == .responseChunks { beginBody(.chunked, .response) }
    }

    /// The bytes as they would arrive when cut at these offsets.
    init(_ side: Side, _ bytes: [UInt8], cutAt cuts: [Int] = [], limits: HeadLimits = HeadLimits()) {
        self.init(side, limits: limits)
        var start = 0
        for cut in cuts + [bytes.count] {
            feed(bytes[start..<cut])
            start = cut
        }
    }

    /// Whether a whole message said that it is the last one: what follows it is not read.
    private(set) var isClosed = false

    /// What was left unconsumed; of no meaning after a refusal, which leaves the offending bytes in place.
    var rest: Int { refusal == nil && !isClosed ? buffer.readableBytes : 0 }

    mutating func feed(_ piece: some Sequence<UInt8>) {
        buffer.writeBytes(piece)
        while refusal == nil, !isClosed, step() {}
        buffer.discardReadBytes()
    }

    private mutating func beginBody(_ framing: BodyFraming, _ limits: ChunkLimits) {
        if messages.isEmpty { messages.append(Message(start: "body")) }
        body = BodyDecoder(framing: framing, limits: limits)
    }

    /// Whether anything moved.
    private mutating func step() -> Bool {
        if body != nil { return stepBody() }
        switch side {
        case .requests: return stepRequest()
        case .responses: return stepResponse()
        case .requestChunks, .responseChunks: return false
        }
    }

    private mutating func stepRequest() -> Bool {
        switch requests.parse(&buffer) {
        case .needMore: return false
        case .refused(let why):
            refusal = why
            return false
        case .head(let head):
            let query = head.query.map { "?" + String(decoding: $0, as: UTF8.self) } ?? ""
            messages.append(
                Message(
                    start: "\(head.method.name) \(String(decoding: head.path, as: UTF8.self))\(query) "
                        + "\(head.version) \(String(decoding: head.host, as: UTF8.self)) \(head.expectsContinue)",
                    fields: head.fields.lines,
                    framing: head.framing,
                    isKeptAlive: head.keepAlive
                )
            )
            beginBody(head.framing, .request)
            return true
        }
    }

    private mutating func stepResponse() -> Bool {
        switch responses.parse(&buffer) {
        case .needMore: return false
        case .refused(let why):
            refusal = why
            return false
        case .head(let head):
            messages.append(
                Message(
                    start: "\(head.status) \(head.version)",
                    fields: head.fields.lines,
                    framing: head.framing,
                    isKeptAlive: head.keepAlive
                )
            )
            beginBody(head.framing, .response)
            return true
        }
    }

    private mutating func stepBody() -> Bool {
        guard let event = body?.next(&buffer) else { return false }
        let last = messages.count - 1
        switch event {
        case .needMore: return false
        case .bytes(let slice):
            messages[last].body += slice.readableBytesView
        case .end:
            messages[last].isComplete = true
            isClosed = !messages[last].isKeptAlive
            body = nil
        case .refused(let why):
            refusal = why
            return false
        }
        return true
    }
}

extension FieldBlock {
    /// Each field as `name:value`, the value trimmed, for comparison.
    var lines: [[UInt8]] {
        entries.map { Array(name($0)) + [UInt8(ascii: ":")] + Array(value($0)) }
    }
}
