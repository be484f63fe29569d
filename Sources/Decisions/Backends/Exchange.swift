public import HTTP1

/// One request to a store, and what comes of its answer: the client's answer, or the next exchange.
public struct Exchange: Sendable {
    /// What goes with the request.
    public enum Body: Sendable {
        case none
        /// Whole, and written or kept here.
        case document([UInt8])
        /// The bytes that the ``OutgoingBody`` spoke of, as they come.
        case carried
    }

    public let request: OutgoingRequest
    public let body: Body
    public let answer: @Sendable (ResponseHead) -> S3Answer

    init(_ request: OutgoingRequest, _ body: Body, answer: @escaping @Sendable (ResponseHead) -> S3Answer) {
        self.request = request
        self.body = body
        self.answer = answer
    }

    /// The bytes that go along where nothing is carried.
    public var document: [UInt8] {
        if case .document(let bytes) = body { bytes } else { [] }
    }
}

/// What a store's answer turns into, once its head is there.
public enum S3Answer: Sendable {
    /// The body goes through as it comes, under this status and these fields.
    case stream(status: Int, fields: FieldBlock)
    /// The body is read whole, at most `limit` bytes, and then becomes the answer.
    case collect(limit: Int, then: @Sendable ([UInt8]) -> S3CompleteAnswer)
    /// The body does not matter.
    case failure(StoreFailure, fields: FieldBlock)
}

/// The answer once its body is there.
public enum S3CompleteAnswer: Sendable {
    case document(status: Int, fields: FieldBlock, body: [UInt8])
    case failure(StoreFailure, fields: FieldBlock)
    /// Nothing yet: the store is asked something else first.
    case ask(Exchange)
}
