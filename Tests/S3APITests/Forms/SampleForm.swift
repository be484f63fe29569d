import NIOCore
import S3API

/// A form for tests: written down, then perhaps spoiled.
struct SampleForm {
    static let boundary = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
    static let contentType = "multipart/form-data; boundary=" + boundary

    var fields: [(String, String)]
    var file: [UInt8]?
    var disposition = #"form-data; name="file"; filename="photo.jpg""#
    var ending = "\r\n--\(boundary)--\r\n"

    init(_ fields: [(String, String)] = [("key", "a.txt")], file: [UInt8]? = Array("content".utf8)) {
        self.fields = fields
        self.file = file
    }

    var bytes: [UInt8] {
        var text: [UInt8] = []
        for (index, field) in fields.enumerated() {
            text += Array("\(index == 0 ? "" : "\r\n")--\(Self.boundary)\r\n".utf8)
            text += Array("Content-Disposition: form-data; name=\"\(field.0)\"\r\n\r\n\(field.1)".utf8)
        }
        if let file {
            text += Array(
                "\(fields.isEmpty ? "" : "\r\n")--\(Self.boundary)\r\nContent-Disposition: \(disposition)\r\n".utf8
            )
            text += Array("Content-Type: image/jpeg\r\n\r\n".utf8) + file
        }
        return text + Array(ending.utf8)
    }

    /// What a reader makes of a body that arrives in pieces of `size`.
    static func read(
        _ body: [UInt8],
        in size: Int = .max,
        contentType: String = contentType,
        length: Int64? = nil
    ) throws -> (form: PostForm, content: [UInt8]) {
        guard let boundary = try FormBoundary(contentType: Array(contentType.utf8)[...]) else { throw NoForm() }
        var reader = FormReader(boundary, length: length ?? Int64(body.count))
        var rest = body[...]
        var form: PostForm?
        while form == nil, !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            form = try reader.take(ByteBuffer(bytes: piece))
        }
        let whole = try form ?? reader.finish()
        guard case .streamed(let length, var file, let beginning) = whole.file else {
            guard case .whole(let content) = whole.file else { throw NoForm() }
            return (whole, content)
        }
        var content: [UInt8] = []
        for piece in try file.take(beginning) { content += piece.readableBytesView }
        while !rest.isEmpty {
            let piece = rest.prefix(size)
            rest = rest.dropFirst(piece.count)
            for found in try file.take(ByteBuffer(bytes: piece)) { content += found.readableBytesView }
        }
        try file.finish()
        guard Int64(content.count) == length else { throw OtherLength() }
        return (whole, content)
    }

    struct NoForm: Error {}
    struct OtherLength: Error {}
}
