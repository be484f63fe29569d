import HTTP1
import HTTPTypes
import HummingbirdCore
import NIOCore
import S3API
import WireFormats

/// One request of Hummingbird's, answered by a ``StoreResponder``: heads translated both ways, bodies streamed.
struct HTTPExchange: Sendable {
    private let responder: StoreResponder

    init(_ responder: StoreResponder) { self.responder = responder }

    /// - Throws: where the connection must be closed: the client is gone, or a body can't be sent to its end.
    func respond(to request: Request, _ writer: consuming ResponseWriter) async throws {
        if request.headers[.expect]?.utf8.elementsEqual("100-continue".utf8) == true {
            try await writer.writeInformationalHead(HTTPResponse(status: .continue))
        }
        let head = Self.head(of: request)
        let requestID = RequestID(random: UInt64.random(in: 0...UInt64.max))
        let answer = await responder.answer(head, request.body, requestID: requestID)
        var response = Self.response(of: answer)
        switch answer.body {
        case .none:
            if answer.status != 204 && answer.status != 304 { response.headerFields[.contentLength] = "0" }
            try await writer.writeResponse(response)
        case .announced(let length):
            response.headerFields[.contentLength] = String(length)
            try await writer.writeResponse(response)
        case .bytes(let bytes):
            response.headerFields[.contentLength] = String(bytes.count)
            try await writer.write(response: response, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .content(let reader):
            response.headerFields[.contentLength] = String(reader.range.count)
            try await send(reader, response, writer)
        }
    }

    /// The first chunk is read before the head goes out, so that a file that can't be read is still an error answer's
    /// worth: the connection closes without a status that promises a body.
    private func send(
        _ reader: ObjectReader,
        _ response: HTTPResponse,
        _ writer: consuming ResponseWriter
    ) async throws {
        var chunks = reader.chunks().makeAsyncIterator()
        guard let first = try await chunks.next() else {
            try await writer.writeResponse(response)
            return
        }
        if first.readableBytes == reader.range.count {
            try await writer.write(response: response, body: ResponseBody(byteBuffer: first))
            return
        }
        var body = try await writer.writeHead(response)
        try await body.write(first)
        while let chunk = try await chunks.next() { try await body.write(chunk) }
        try await body.finish(nil)
    }

    /// The head in our own terms. Hummingbird took `Host` for the authority; repeated fields are still apart.
    private static func head(of request: Request) -> RequestHead {
        var fields = FieldBlock(reservingBytes: 1024, fields: 16)
        let host = Array((request.head.authority ?? "").utf8)
        fields.append("host", host)
        for field in request.headers {
            fields.append(field.name.canonicalName.utf8, field.value.utf8)
        }
        let target = Array((request.head.path ?? "/").utf8)
        let question = target.firstIndex(of: UInt8(ascii: "?"))
        return RequestHead(
            method: HTTPMethod(request.method.rawValue.utf8),
            path: Array(target[..<(question ?? target.endIndex)]),
            query: question.map { Array(target[($0 + 1)...]) },
            fields: fields,
            framing: framing(of: fields),
            host: host
        )
    }

    private static func framing(of fields: FieldBlock) -> BodyFraming {
        if fields.first("transfer-encoding") != nil { return .chunked }
        guard let text = fields.string("content-length") else { return .none }
        return .length(Int64(text) ?? -1)
    }

    private static func response(of answer: StoreAnswer) -> HTTPResponse {
        var fields = HTTPFields()
        fields.reserveCapacity(answer.fields.entries.count + 1)
        for entry in answer.fields.entries {
            let text = String(decoding: answer.fields.name(entry), as: UTF8.self)
            guard let name = HTTPField.Name(text) else { continue }
            let value = String(decoding: answer.fields.value(entry), as: UTF8.self)
            fields.append(HTTPField(name: name, value: value))
        }
        return HTTPResponse(status: HTTPResponse.Status(code: answer.status), headerFields: fields)
    }
}
