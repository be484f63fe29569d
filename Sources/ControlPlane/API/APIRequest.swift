import HTTP1
package import Pipeline
package import WireFormats

/// A call that was found to be one of an ``APIOperation``: every part has its shape.
package struct APIRequest: Sendable {
    package let call: APICall
    package let operation: APIOperation
    /// Of path, query and head, by name.
    package let parameters: [String: String]
    package let body: JSONObject

    package var caller: Rights { call.caller }
    package var now: Instant { call.now }

    /// - Parameter values: of the path.
    init(_ call: APICall, _ operation: APIOperation, path values: [String: String]) throws(APIFailure) {
        self.call = call
        self.operation = operation
        parameters = try Self.parameters(call, operation, values)
        body = try Self.body(call, operation)
    }

    private static func parameters(
        _ call: APICall,
        _ operation: APIOperation,
        _ path: [String: String]
    ) throws(APIFailure) -> [String: String] {
        var found = path
        for item in call.query.items {
            let name = String(decoding: item.name, as: UTF8.self)
            if isOfSignature(name) { continue }
            guard operation.parameters.contains(where: { $0.place == .query && $0.name == name }) else {
                throw APIFailure(.invalidArgument, "The query parameter '\(name.prefix(64))' is not known here.")
            }
            guard let text = String(validating: item.value, as: UTF8.self),
                found.updateValue(text, forKey: name) == nil
            else { throw APIFailure(.invalidArgument, "The query parameter '\(name)' is given twice or unreadable.") }
        }
        for parameter in operation.parameters where parameter.place == .header {
            let name = parameter.name.lowercased()
            let fields = call.head.fields
            let values = fields.entries.filter { fields.name($0).map { $0 | 0x20 }.elementsEqual(lowered(name)) }
            guard values.count < 2 else { throw APIFailure(.invalidRequest, "\(parameter.name) is given twice.") }
            if let value = values.first { found[parameter.name] = String(decoding: fields.value(value), as: UTF8.self) }
        }
        for parameter in operation.parameters {
            guard let text = found[parameter.name] else {
                guard parameter.presence == .optional else {
                    throw APIFailure(.invalidArgument, "'\(parameter.name)' is required.")
                }
                continue
            }
            do {
                try parameter.shape.check(text, at: parameter.name)
            } catch {
                // A path that can't be anybody's is one where there is nothing.
                throw parameter.place == .path ? APIFailure(.notFound) : APIFailure(.invalidArgument, error.description)
            }
        }
        return found
    }

    private static func lowered(_ name: String) -> [UInt8] { name.utf8.map { $0 | 0x20 } }

    /// A call may be a presigned URL.
    private static func isOfSignature(_ name: String) -> Bool { name.lowercased().hasPrefix("x-amz-") }

    private static func body(_ call: APICall, _ operation: APIOperation) throws(APIFailure) -> JSONObject {
        guard let shape = operation.body else {
            guard call.body.isEmpty else { throw APIFailure(.invalidRequest, "This operation takes no body.") }
            return JSONObject()
        }
        if call.body.isEmpty, shape.takesNothing { return JSONObject() }
        guard call.head.fields.count(of: "content-type") == 1,
            let type = call.head.fields.string("content-type"), isJSON(type)
        else { throw APIFailure(.unsupportedMediaType) }
        let document: StrictJSON
        do {
            document = try StrictJSON(parsing: call.body)
        } catch {
            throw APIFailure(.malformedJSON, "The body is not a JSON document: \(error.path): \(error.message).")
        }
        do {
            try shape.check(document)
        } catch {
            throw APIFailure(.invalidArgument, error.description)
        }
        guard let object = JSONObject(document) else { throw APIFailure(.malformedJSON) }
        return object
    }

    /// `application/json`, with parameters or without.
    private static func isJSON(_ type: String) -> Bool {
        guard let type = try? MediaType(type) else { return false }
        return type.type == "application" && type.subtype == "json"
    }
}
