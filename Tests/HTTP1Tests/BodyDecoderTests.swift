import HTTP1
import NIOCore
import Testing

struct BodyDecoderTests {
    @Test func aLengthTakesExactlyItsBytes() {
        var decoder = BodyDecoder(framing: .length(5))
        var buffer = ByteBuffer(string: "helloGET")
        #expect(text(decoder.next(&buffer)) == "hello")
        #expect(decoder.isFinished)
        #expect(isEnd(decoder.next(&buffer)))
        #expect(isEnd(decoder.next(&buffer)))
        #expect(buffer.readableBytes == 3)
    }

    @Test(arguments: [BodyFraming.none, .length(0)])
    func anEmptyBodyEndsAtOnce(framing: BodyFraming) {
        var decoder = BodyDecoder(framing: framing)
        var buffer = ByteBuffer(string: "GET")
        #expect(isEnd(decoder.next(&buffer)))
        #expect(buffer.readableBytes == 3)
        #expect(decoder.closed() == .end)
    }

    @Test func dataComesAsSlicesOfTheBufferItArrivedIn() {
        var decoder = BodyDecoder(framing: .chunked)
        var buffer = ByteBuffer(string: "5\r\nhello\r\n0\r\n\r\n")
        let storage = buffer.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) }
        guard case .bytes(let slice) = decoder.next(&buffer) else {
            Issue.record("no bytes")
            return
        }
        #expect(slice.withUnsafeReadableBytes { UInt(bitPattern: $0.baseAddress) } == storage + 3)
    }

    @Test func aChunkLargerThanMemoryIsHandedOutAsItArrives() {
        var decoder = BodyDecoder(framing: .chunked)
        var buffer = ByteBuffer(string: "7fffffffffffffff\r\nabc")
        #expect(text(decoder.next(&buffer)) == "abc")
        guard case .needMore = decoder.next(&buffer) else {
            Issue.record("not waiting")
            return
        }
    }

    @Test func aCloseIsAnEndOnlyWhereItIsTheFraming() {
        var untilClose = BodyDecoder(framing: .untilClose)
        var buffer = ByteBuffer(string: "abc")
        #expect(text(untilClose.next(&buffer)) == "abc")
        #expect(untilClose.closed() == .end)
        var length = BodyDecoder(framing: .length(5))
        buffer = ByteBuffer(string: "abc")
        _ = length.next(&buffer)
        #expect(length.closed() == .truncated)
        var chunked = BodyDecoder(framing: .chunked)
        buffer = ByteBuffer(string: "3\r\nabc\r\n0\r\n")
        while case .bytes = chunked.next(&buffer) {}
        #expect(chunked.closed() == .truncated)
        buffer = ByteBuffer(string: "\r\n")
        #expect(isEnd(chunked.next(&buffer)))
        #expect(chunked.closed() == .end)
    }

    @Test func extensionsOfResponsesAreSkippedAndThoseOfRequestsRefused() {
        let bytes = Array("3;a=\"b;c\"\r\nabc\r\n0;d\r\n\r\n".utf8)
        let response = Conversation(.responseChunks, bytes)
        #expect(response.messages.first?.body == Array("abc".utf8))
        #expect(response.messages.first?.isComplete == true)
        #expect(Conversation(.requestChunks, bytes).refusal == .chunkExtension)
    }

    @Test func aRefusalIsFinal() {
        var decoder = BodyDecoder(framing: .chunked)
        var buffer = ByteBuffer(string: "x")
        for _ in 0..<2 {
            guard case .refused(.invalidChunkSize) = decoder.next(&buffer) else {
                Issue.record("not refused")
                return
            }
        }
        #expect(decoder.closed() == .truncated)
    }

    private func text(_ event: BodyDecoder.Event) -> String? {
        guard case .bytes(let buffer) = event else { return nil }
        return String(buffer: buffer)
    }

    private func isEnd(_ event: BodyDecoder.Event) -> Bool {
        if case .end = event { true } else { false }
    }
}
