public import HTTP1

/// What a store's answer turns into, once its head is there.
public enum S3Answer: Sendable {
    /// The body goes through as it comes, under this status and these fields.
    case stream(status: Int, fields: FieldBlock)
    /// The body is read whole, at most `limit` bytes, and then becomes the answer.
    case collect(limit: Int, reading: S3AnswerReader)
    /// The body does not matter.
    case failure(StoreFailure, fields: FieldBlock)
}

/// The answer once its body is there.
public enum S3CompleteAnswer: Sendable {
    case document(status: Int, fields: FieldBlock, body: [UInt8])
    case failure(StoreFailure, fields: FieldBlock)
}
