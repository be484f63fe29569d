import HTTP1

/// What the store answers, before it becomes HTTP.
struct StoreAnswer: Sendable {
    enum Body: Sendable {
        case none
        case bytes([UInt8])
        case content(ObjectReader)
        /// The head of an object's answer without its bytes (HEAD); the length is announced.
        case announced(Int64)
    }

    var status: Int
    var fields = FieldBlock(reservingBytes: 512, fields: 12)
    var body: Body

    init(_ status: Int, _ body: Body = .none) {
        self.status = status
        self.body = body
    }

    /// An XML document.
    init(document: [UInt8]) {
        self.init(200, .bytes(document))
        fields.append("content-type", "application/xml")
    }
}
