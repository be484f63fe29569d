import HTTP1
import S3API
import Signatures
import Testing
import WireFormats

let noon = Instant(secondsSince1970: 1_750_000_000)

/// A request for tests: written down, then perhaps signed, then perhaps spoiled.
struct Call {
    var method: String
    var path: String
    var query: String?
    var fields: [(String, String)]
    var host = "files.example.com"
    var framing: BodyFraming

    /// - Parameter length: of the body to come; nil: there is none.
    init(_ method: String, _ target: String, _ fields: [(String, String)] = [], length: Int64? = nil) {
        self.method = method
        path = String(target.prefix { $0 != "?" })
        query = target.firstIndex(of: "?").map { String(target[target.index(after: $0)...]) }
        self.fields = fields
        framing = length.map { .length($0) } ?? .none
    }

    func with(_ name: String, _ value: String) -> Call {
        var call = self
        call.fields.append((name, value))
        return call
    }

    func with(framing: BodyFraming) -> Call {
        var call = self
        call.framing = framing
        return call
    }

    func on(host: String) -> Call {
        var call = self
        call.host = host
        return call
    }

    func by(_ user: User) -> Call { with("x-api-key", user.rawValue) }

    /// With a signature in the header. Without a `payload`, that of nothing where there is no body, else unsigned.
    func signed(
        by key: Key = .full,
        secret: String? = nil,
        payload: PayloadHash? = nil,
        at now: Instant = noon,
        region: String = "us-east-1"
    ) -> Call {
        var canonical: [UInt8] = []
        (try? Query(parsing: (query ?? "").utf8))?.appendCanonical(to: &canonical)
        var request = OutgoingRequest(method: HTTPMethod(method.utf8), path: Array(path.utf8), query: canonical)
        request.fields.append("host", host)
        for (name, value) in fields { request.fields.append(name.utf8, value.utf8) }
        let hash = payload ?? (framing == .none || framing == .length(0) ? .empty : .unsigned)
        Self.signer(key, secret, region).sign(&request, payload: hash, at: now)
        var call = self
        call.fields = request.fields.entries.dropFirst().map { entry in
            (text(request.fields.name(entry)), text(request.fields.value(entry)))
        }
        return call
    }

    func presigned(by key: Key = .full, expiresIn lifetime: Duration = .seconds(3600), at now: Instant = noon) -> Call {
        var block = FieldBlock()
        block.append("host", host)
        var call = self
        call.query = text(
            Self.signer(key, nil, "us-east-1").presign(
                HTTPMethod(method.utf8),
                path: Array(path.utf8),
                query: (try? Query(parsing: (query ?? "").utf8)) ?? Query(),
                fields: block,
                expiresIn: lifetime,
                at: now
            )
        )
        return call
    }

    private static func signer(_ key: Key, _ secret: String?, _ region: String) -> SigV4Signer {
        SigV4Signer(accessKeyID: key.rawValue, secret: Secret(secret ?? key.secret), region: region)
    }

    var head: RequestHead {
        var block = FieldBlock()
        block.append("host", host)
        for (name, value) in fields { block.append(name.utf8, value.utf8) }
        return RequestHead(
            method: HTTPMethod(method.utf8),
            path: Array(path.utf8),
            query: query.map { Array($0.utf8) },
            fields: block,
            framing: framing,
            host: Array(host.utf8)
        )
    }
}

extension Call: CustomTestStringConvertible {
    var testDescription: String { method + " " + path + (query.map { "?" + $0 } ?? "") }
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }

extension Call {
    func classified() throws -> S3Request {
        let head = head
        let address = try S3Address.locate(host: head.host, path: head.path, domains: []).address
        return try S3Classifier.classify(head, address, try Query(parsing: head.query ?? []))
    }
}
