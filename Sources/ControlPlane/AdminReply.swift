import Foundation
import HTTPTypes
import Hummingbird
import NIOCore

/// How the admin listener words its answers.
enum AdminReply {
    static func json(_ value: some Encodable, status: HTTPResponse.Status = .ok) -> Response {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(value) else {
            return refusal(.internalServerError, "InternalError", "The answer could not be written.")
        }
        return bytes(Array(data), type: "application/json", status: status)
    }

    static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        bytes(Array(text.utf8), type: "text/html; charset=utf-8", status: status)
    }

    static func bytes(_ bytes: [UInt8], type: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: type],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
        )
    }

    static func seeOther(_ path: String) -> Response {
        Response(status: .seeOther, headers: [.location: path])
    }

    private struct Refusal: Encodable {
        struct Body: Encodable {
            let code: String
            let message: String
        }
        let error: Body
    }

    static func refusal(_ status: HTTPResponse.Status, _ code: String, _ message: String) -> Response {
        json(Refusal(error: .init(code: code, message: message)), status: status)
    }
}

extension Request {
    /// The only field of that (lower-case) name; nil where there is none or more than one.
    func onlyField(_ name: String) -> String? {
        let values = headers.filter { $0.name.canonicalName == name }
        return values.count == 1 ? values.first?.value : nil
    }

    func hasField(_ name: String) -> Bool {
        headers.contains { $0.name.canonicalName == name }
    }

    var wantsHTML: Bool { onlyField("accept")?.contains("text/html") == true }

    /// The cookie's value; nil where it is missing or was sent twice (a planted one must not win).
    func cookie(_ name: String) -> String? {
        var found: [Substring] = []
        for field in headers where field.name == .cookie {
            for pair in field.value.split(separator: ";") {
                let trimmed = pair.drop { $0 == " " }
                if trimmed.hasPrefix(name + "=") { found.append(trimmed.dropFirst(name.count + 1)) }
            }
        }
        return found.count == 1 ? found.first.map(String.init) : nil
    }
}
