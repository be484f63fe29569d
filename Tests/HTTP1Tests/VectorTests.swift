import HTTP1
import Testing

/// Every vector comes out as its line says, however its bytes are cut.
struct VectorTests {
    @Test func theVectorsAreThere() {
        #expect(Vector.requests.count > 120)
        #expect(Vector.responses.count > 30)
        #expect(Vector.chunked.count > 30)
    }

    @Test(arguments: Vector.requests)
    func aRequestIsUnderstoodOrRefusedForItsReason(_ vector: Vector) {
        check(vector, .requests)
    }

    @Test(arguments: Vector.responses)
    func aResponseIsUnderstoodOrRefusedForItsReason(_ vector: Vector) {
        check(vector, .responses(to: .get))
    }

    @Test(arguments: Vector.chunked)
    func aChunkedBodyIsUnderstoodOrRefusedForItsReason(_ vector: Vector) {
        check(vector, .requestChunks)
    }

    /// Every way to cut in two, and every byte on its own.
    private func check(_ vector: Vector, _ side: Conversation.Side) {
        let whole = Conversation(side, vector.bytes)
        #expect(outcome(of: whole) == vector.expectation)
        for cuts in (0...vector.bytes.count).map({ [$0] }) + [Array(0..<vector.bytes.count)] {
            let cut = Conversation(side, vector.bytes, cutAt: cuts)
            #expect(cut.messages == whole.messages, "cut at \(cuts)")
            #expect(cut.refusal == whole.refusal, "cut at \(cuts)")
            #expect(cut.rest == whole.rest, "cut at \(cuts)")
        }
    }

    private func outcome(of conversation: Conversation) -> Vector.Expectation {
        if let refusal = conversation.refusal { return .refusal(refusal) }
        let isWhole = conversation.rest == 0 && conversation.messages.allSatisfy { $0.isComplete }
        return isWhole ? .ok : .more
    }
}
