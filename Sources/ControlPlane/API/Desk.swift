import HTTP1
package import Pipeline
import WireFormats

/// Answers the JSON API under `/-/v1`: a closed list of operations, found by path and method. What is not in it is 404, or
/// 405 with the methods that the path has.
package struct Desk: APIDesk {
    private let operations: [APIOperation]
    private let events: StoreEvents?
    package let document: [UInt8]

    /// - Parameters:
    ///   - events: who takes in what stores push; nil: nobody does.
    ///   - version: of the program, for the document.
    package init(_ operations: [APIOperation], events: StoreEvents? = nil, version: String) {
        self.operations = operations
        self.events = events
        document = OpenAPI(operations, version: version).text
    }

    package func answer(_ call: APICall) async -> Reply {
        do throws(APIFailure) {
            let request = try find(call)
            let answer = try await request.operation.perform(request)
            assert(answer.isDocumented(by: request.operation), "an answer that the document does not know")
            return reply(answer.status, answer.body)
        } catch {
            return refusal(error, call)
        }
    }

    package func take(_ push: EventPush.Delivered) async -> Reply {
        await events?.take(push) ?? Reply(status: 404)
    }

    private func find(_ call: APICall) throws(APIFailure) -> APIRequest {
        let candidates = operations.compactMap { operation in operation.match(call.path).map { (operation, $0) } }
        guard !candidates.isEmpty else { throw APIFailure(.notFound) }
        // What is answered to a GET is answered to a HEAD, without its body.
        let method = call.head.method == .head ? .get : call.head.method
        guard let (operation, values) = candidates.first(where: { $0.0.method == method }) else {
            throw APIFailure(.methodNotAllowed)
        }
        return try APIRequest(call, operation, path: values)
    }

    private func allowed(_ path: [String]) -> String {
        var methods = operations.filter { $0.match(path) != nil }.map(\.method.name)
        if methods.contains("GET") { methods.append("HEAD") }
        return methods.sorted().joined(separator: ", ")
    }

    private func reply(_ status: Int, _ body: StrictJSON?) -> Reply {
        var reply = Reply(status: status)
        reply.fields.append("cache-control", "no-store")
        if let body {
            reply.fields.append("content-type", "application/json")
            reply.body = body.text
        }
        return reply
    }

    private func refusal(_ failure: APIFailure, _ call: APICall) -> Reply {
        let members: [(name: String, value: StrictJSON)] = [
            ("code", .string(failure.code.name)), ("message", .string(failure.message)),
            ("resource", .string(String(decoding: call.head.path, as: UTF8.self))),
            ("request_id", .string(call.requestID.description)),
        ]
        var reply = reply(failure.code.status, .object([("error", .object(members + failure.details))]))
        if let seconds = failure.retryAfter { reply.fields.append("retry-after", String(seconds)) }
        if failure.code == .methodNotAllowed { reply.fields.append("allow", allowed(call.path)) }
        reply.reason = failure.reason.isEmpty ? failure.code.name : failure.reason
        return reply
    }
}

extension APIAnswer {
    /// Whether the operation says that it answers like this.
    func isDocumented(by operation: APIOperation) -> Bool {
        operation.outcomes.contains { outcome in
            guard outcome.status == status else { return false }
            switch (outcome.shape, body) {
            case (nil, nil): return true
            case (let shape?, let body?): return (try? shape.check(body)) != nil
            default: return false
            }
        }
    }
}
