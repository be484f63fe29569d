import HTTP1
import NIOCore

/// What must hold for any bytes at all. Run by the fuzzer (`Scripts/fuzz`) and, over `Fuzz/corpus`, by a unit test.
///
/// The first byte of an input chooses what the rest is: `S` responses, `H` responses to HEAD, `B` a request's chunked
/// body, `b` a response's; anything else requests.
func brokenInvariant(of input: [UInt8]) -> String? {
    guard let choice = input.first else { return nil }
    let bytes = Array(input.dropFirst())
    let side: Conversation.Side =
        switch choice {
        case UInt8(ascii: "S"): .responses(to: .get)
        case UInt8(ascii: "H"): .responses(to: .head)
        case UInt8(ascii: "B"): .requestChunks
        case UInt8(ascii: "b"): .responseChunks
        default: .requests
        }
    // Small limits, so that the fuzzer reaches them.
    let limits = HeadLimits(maxHeadBytes: 1024, maxFields: 12, maxTargetBytes: 128)
    let whole = Conversation(side, bytes, limits: limits)
    var random = SplitMix(seed: bytes.reduce(14_695_981_039_346_656_037) { ($0 ^ UInt64($1)) &* 1_099_511_628_211 })
    let cuts = (0..<3).map { _ in random.below(bytes.count + 1) }.sorted()
    for cutting in [Array(0..<bytes.count), cuts] {
        let pieces = Conversation(side, bytes, cutAt: cutting, limits: limits)
        if pieces.messages != whole.messages { return "other messages when cut at \(cutting)" }
        if pieces.refusal != whole.refusal { return "another refusal when cut at \(cutting)" }
        if pieces.rest != whole.rest { return "other bytes consumed when cut at \(cutting)" }
    }
    switch side {
    case .requests: return brokenRequest(bytes, limits)
    case .responses(let method): return brokenResponse(bytes, method, limits)
    case .requestChunks, .responseChunks: return nil
    }
}

/// The first head, if it is accepted, must be clean, and mean the same when written and read again.
private func brokenRequest(_ bytes: [UInt8], _ limits: HeadLimits) -> String? {
    var buffer = ByteBuffer(bytes: bytes)
    var parser = RequestParser(limits: limits)
    guard case .head(let head) = parser.parse(&buffer) else { return nil }
    if let problem = dirt(in: bytes.prefix(buffer.readerIndex)) { return problem }
    // Rewriting makes it HTTP/1.1, which is another message where it was not.
    guard head.version == .http11 else { return nil }
    let request = OutgoingRequest(method: head.method, path: head.path, query: head.query ?? [], fields: head.fields)
    var written = ByteBuffer()
    HeadWriter.append(request, to: &written)
    var again = RequestParser(limits: HeadLimits())
    guard case .head(let copy) = again.parse(&written) else { return "the rewritten head is not accepted" }
    guard written.readableBytes == 0 else { return "the rewritten head ends early" }
    guard copy.method == head.method, copy.path == head.path, (copy.query ?? []) == (head.query ?? []),
        copy.fields.lines == head.fields.lines, copy.framing == head.framing, copy.keepAlive == head.keepAlive,
        copy.expectsContinue == head.expectsContinue, copy.host == head.host
    else { return "the rewritten head means something else" }
    return nil
}

private func brokenResponse(_ bytes: [UInt8], _ method: HTTPMethod, _ limits: HeadLimits) -> String? {
    var buffer = ByteBuffer(bytes: bytes)
    var parser = ResponseParser(requestMethod: method, limits: limits)
    guard case .head(let head) = parser.parse(&buffer) else { return nil }
    if let problem = dirt(in: bytes.prefix(buffer.readerIndex)) { return problem }
    guard head.version == .http11 else { return nil }
    var written = ByteBuffer()
    HeadWriter.append(status: head.status, fields: head.fields, to: &written)
    var again = ResponseParser(requestMethod: method)
    guard case .head(let copy) = again.parse(&written) else { return "the rewritten head is not accepted" }
    guard written.readableBytes == 0, copy.status == head.status, copy.fields.lines == head.fields.lines,
        copy.framing == head.framing, copy.keepAlive == head.keepAlive
    else { return "the rewritten head means something else" }
    return nil
}

/// Bytes that no accepted head may hold, looked for in the plainest way.
private func dirt(in head: some Collection<UInt8>) -> String? {
    var previous: UInt8 = 0
    for byte in head {
        if byte == 0x0A, previous != 0x0D { return "an accepted head holds a bare LF" }
        if previous == 0x0D, byte != 0x0A { return "an accepted head holds a bare CR" }
        if previous == 0x0A, byte == 0x20 || byte == 0x09 { return "an accepted head holds a folded line" }
        if byte < 0x20, ![0x09, 0x0A, 0x0D].contains(byte) { return "an accepted head holds a control character" }
        if byte == 0x7F { return "an accepted head holds a DEL" }
        previous = byte
    }
    return nil
}

/// A small seeded generator: the same inputs on every run and machine.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    mutating func pick<Element>(_ choices: [Element]) -> Element { choices[below(choices.count)] }
}
