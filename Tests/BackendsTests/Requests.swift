import Foundation
import HTTP1
import S3API
import Signatures
import WireFormats

@testable import Backends

let noon = Instant(secondsSince1970: 1_700_000_000)

/// A store for tests, its bucket named `store-bucket`.
func backend(
    prefix: String = "",
    bucket: String = "store-bucket",
    addressing: S3Backend.Addressing = .path,
    signed: Signed = .yes,
    crossOrigin: S3Backend.CrossOrigin = .store,
    hidden: String = ""
) -> S3Backend {
    let signer = SigV4Signer(
        accessKeyID: "AKSTORE",
        secret: Secret("store-secret"),
        sessionToken: Secret("store-session"),
        region: "eu-west-1"
    )
    return S3Backend(
        endpoint: Endpoint(address: .tcp(host: "store", port: 8333), transport: .plain, authority: "store:8333"),
        region: "eu-west-1",
        addressing: addressing,
        bucketName: bucket,
        prefix: prefix,
        signer: signed == .yes ? signer : nil,
        crossOrigin: crossOrigin,
        hidden: Array(hidden.utf8)
    )
}

enum Signed {
    case yes, no
}

/// A classified request and its head; `path` is encoded.
struct Incoming {
    let head: RequestHead
    let request: S3Request

    init(_ method: String, _ target: String, _ fields: [(String, String)] = []) throws {
        try self.init(method, path: Array(target.prefix { $0 != "?" }.utf8), query: target.query, fields)
    }

    init(_ method: String, path: [UInt8], query: String? = nil, _ fields: [(String, String)] = []) throws {
        var block = FieldBlock()
        block.append("host", "gatehouse")
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        let copies = fields.contains { $0.0 == "x-amz-copy-source" }
        let hasBody = (method == "PUT" && !copies) || (method == "POST" && query?.contains("uploads") != true)
        head = RequestHead(
            method: HTTPMethod(method.utf8),
            path: path,
            query: query.map { Array($0.utf8) },
            fields: block,
            framing: hasBody ? .length(5) : .none,
            host: Array("gatehouse".utf8)
        )
        let address = try S3Address.locate(host: head.host, path: path, domains: []).address
        request = try S3Classifier.classify(head, address, try Query(parsing: head.query ?? []))
    }

    func sent(
        to backend: S3Backend,
        body: OutgoingBody = .none,
        copyingFrom source: S3Backend? = nil
    ) throws -> OutgoingRequest {
        try backend.request(for: request, head: head, body: body, copyingFrom: source, at: noon)
    }
}

extension String {
    fileprivate var query: String? {
        firstIndex(of: "?").map { String(self[index(after: $0)...]) }
    }
}

extension OutgoingRequest {
    var pathText: String { String(decoding: path, as: UTF8.self) }
    var queryText: String { String(decoding: query, as: UTF8.self) }
    var names: [String] { fields.entries.map { String(decoding: fields.name($0), as: UTF8.self) } }
}

/// The lines of the corpus that every builder and parser of keys is run over.
func nastyKeys() -> [String] {
    let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    guard let text = try? String(contentsOf: folder.appending(path: "Corpus/nasty-keys.txt"), encoding: .utf8) else {
        return []
    }
    return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(String.self, from: Data($0.utf8)) }
}

func response(_ status: Int, _ fields: [(String, String)] = [], framing: BodyFraming = .length(10)) -> ResponseHead {
    var block = FieldBlock()
    for (name, value) in fields { block.append(name.utf8, value.utf8) }
    return ResponseHead(status: status, fields: block, framing: framing)
}
