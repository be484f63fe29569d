import HTTP1
import S3API
import WireFormats

/// A request for tests: method, target with query, fields.
struct TestRequest {
    var method: String
    var target: String
    var fields: [(String, String)] = []
    var framing: BodyFraming?

    init(_ method: String, _ target: String, _ fields: [(String, String)] = [], framing: BodyFraming? = nil) {
        self.method = method
        self.target = target
        self.fields = fields
        self.framing = framing
    }

    var head: RequestHead {
        let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        var block = FieldBlock()
        block.append("host", "localhost")
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        let usual: BodyFraming = method == "PUT" || method == "POST" ? .length(method == "PUT" ? 10 : 0) : .none
        return RequestHead(
            method: HTTPMethod(method.utf8),
            path: Array(parts[0].utf8),
            query: parts.count > 1 ? Array(parts[1].utf8) : nil,
            fields: block,
            framing: framing ?? usual,
            host: Array("localhost".utf8)
        )
    }

    func classify() throws -> S3Request {
        let head = head
        let located = try S3Address.locate(host: head.host, path: head.path, domains: [])
        return try S3Classifier.classify(head, located.address, try Query(parsing: head.query ?? []))
    }
}

/// The code of what `body` throws; nil where it throws nothing or no S3 error.
func code(_ body: () throws -> some Any) -> S3Error.Code? {
    do {
        _ = try body()
        return nil
    } catch let error as S3Error {
        return error.code
    } catch {
        return nil
    }
}
