import HTTP1
import NIOCore
import Testing

/// Heads and trailers end at their limits, exactly, and however the bytes arrive.
struct LimitTests {
    private let limits = HeadLimits(maxHeadBytes: 300, maxFields: 5, maxTargetBytes: 100)

    @Test func aTargetOfTheLimitPassesAndOneMoreIs414() {
        #expect(refusal(of: request(target: 100)) == nil)
        #expect(refusal(of: request(target: 101)) == .targetTooLong)
        #expect(HTTPRefusal.targetTooLong.status == 414)
    }

    @Test func anEndlessRequestLineIsRefusedWithoutItsEnd() {
        #expect(refusal(of: "GET /" + String(repeating: "a", count: 200)) == .targetTooLong)
        #expect(refusal(of: String(repeating: "A", count: 200)) == .targetTooLong)
    }

    @Test func asManyFieldsAsTheLimitPassAndOneMoreIs431() {
        let fields = { String(repeating: "A: b\r\n", count: $0) }
        #expect(refusal(of: "GET / HTTP/1.1\r\nHost: a\r\n" + fields(4) + "\r\n") == nil)
        #expect(refusal(of: "GET / HTTP/1.1\r\nHost: a\r\n" + fields(5)) == .tooManyFields)
        #expect(HTTPRefusal.tooManyFields.status == 431)
    }

    @Test func aHeadOfTheLimitPassesAndOneByteMoreIs431() {
        let frame = "GET / HTTP/1.1\r\nHost: a\r\nX: \r\n\r\n"
        let head = { (count: Int) in
            frame.replacing("X: ", with: "X: " + String(repeating: "x", count: count - frame.utf8.count))
        }
        #expect(refusal(of: head(300)) == nil)
        #expect(refusal(of: head(301)) == .headTooLong)
        #expect(refusal(of: String(head(400).prefix(300))) == .headTooLong)
        #expect(HTTPRefusal.headTooLong.status == 431)
    }

    @Test func aResponseHeadEndsAtItsLimit() {
        let bytes = Array(("HTTP/1.1 200 " + String(repeating: "x", count: 400)).utf8)
        let conversation = Conversation(.responses(to: .get), bytes, limits: limits)
        #expect(conversation.refusal == .headTooLong)
    }

    @Test func trailersEndAtTheirLimits() {
        let long = Array(("0\r\nX: " + String(repeating: "x", count: 9000)).utf8)
        #expect(Conversation(.requestChunks, long).refusal == .trailersTooLong)
        #expect(Conversation(.requestChunks, long, cutAt: Array(0..<long.count)).refusal == .trailersTooLong)
        let many = Array(("0\r\n" + String(repeating: "X: y\r\n", count: 33)).utf8)
        #expect(Conversation(.requestChunks, many).refusal == .trailersTooLong)
    }

    @Test func aChunkExtensionOfAResponseEndsAtItsLimit() {
        let bytes = Array(("3;" + String(repeating: "x", count: 300)).utf8)
        #expect(Conversation(.responseChunks, bytes).refusal == .chunkExtensionTooLong)
    }

    private func request(target length: Int) -> String {
        "GET /" + String(repeating: "a", count: length - 1) + " HTTP/1.1\r\nHost: a\r\n\r\n"
    }

    /// The same for the whole and byte by byte.
    private func refusal(of text: String) -> HTTPRefusal? {
        let bytes = Array(text.utf8)
        let whole = Conversation(.requests, bytes, limits: limits)
        let dripped = Conversation(.requests, bytes, cutAt: Array(0..<bytes.count), limits: limits)
        #expect(whole.refusal == dripped.refusal)
        #expect(whole.messages == dripped.messages)
        return whole.refusal
    }
}
