package import Backends
import HTTP1
package import Pipeline

extension StoreClient {
    /// What a store said in the end, in S3's terms.
    package struct Told: Sendable {
        package let status: Int
        /// As the store sent it: of a failure, ``status`` is what a client would be told.
        package let storeStatus: Int
        /// Nil: it did what it was asked.
        package let failure: StoreFailure?
        package let body: [UInt8]
        /// Of the object, in bytes; nil where it is not told.
        package let length: Int64?
        /// Of the object; none of a failure.
        let fields: FieldBlock

        fileprivate init(_ status: Int, _ fields: FieldBlock, _ body: [UInt8], _ head: ResponseHead) {
            self.status = status
            storeStatus = head.status
            failure = nil
            self.body = body
            self.fields = fields
            length = head.fields.string("content-length").flatMap { Int64($0) }
        }

        fileprivate init(_ failure: StoreFailure, _ head: ResponseHead) {
            status = failure.status
            storeStatus = head.status
            self.failure = failure
            body = []
            fields = FieldBlock()
            length = nil
        }

        /// The value of a field that came once.
        package func field(_ name: StaticString) -> String? {
            fields.count(of: name) == 1 ? fields.string(name) : nil
        }
    }

    /// Asks a store, as often as it takes.
    ///
    /// - Parameter carried: what an exchange carries that takes a body along.
    /// - Throws: ``Trouble``; every answer of the store is one, whatever its status.
    package func ask(
        _ exchange: Exchange,
        of upstream: Upstream,
        carrying carried: [UInt8] = []
    ) async throws(Trouble) -> Told {
        var exchange = exchange
        while true {
            let body = if case .carried = exchange.body { carried } else { exchange.document }
            let answer = try await send(OwnRequest(head: exchange.request, body: body), to: upstream)
            let head = answer.head
            switch exchange.answer(head) {
            case .stream(let status, let fields): return Told(status, fields, answer.body, head)
            case .failure(let failure, _): return Told(failure, head)
            case .collect(let limit, let then):
                guard answer.body.count <= limit else { throw .tooLong }
                switch then(answer.body) {
                case .document(let status, let fields, let body): return Told(status, fields, body, head)
                case .failure(let failure, _): return Told(failure, head)
                case .ask(let next): exchange = next
                }
            }
        }
    }
}

extension StoreClient.Answer {
    fileprivate var head: ResponseHead {
        var block = FieldBlock()
        for (name, value) in fields { block.append(name.lowercased().utf8, value.utf8) }
        return ResponseHead(status: status, fields: block, framing: body.isEmpty ? .none : .length(Int64(body.count)))
    }
}
