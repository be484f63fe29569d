import Identity
import S3API
import Testing
import WireFormats

@testable import Admission

/// Questions and policies in a line each, for the tables of these tests.
func bucketName(_ name: String) throws -> BucketName { try #require(BucketName(validating: name)) }

/// `""`: the service; `photos`: the bucket; `photos?prefix`: a listing; `photos/key`: an object.
func target(_ text: String) throws -> AccessQuestion.Target {
    if text.isEmpty { return .service }
    if let mark = text.firstIndex(of: "?"), !text[..<mark].contains("/") {
        return .listing(try bucketName(String(text[..<mark])), prefix: Array(text[text.index(after: mark)...].utf8))
    }
    guard let slash = text.firstIndex(of: "/") else { return .bucket(try bucketName(text)) }
    return .object(try bucketName(String(text[..<slash])), ObjectKey(String(text[text.index(after: slash)...])))
}

func question(
    _ principal: Principal = .key("dash"),
    _ basis: RightsBasis = .none,
    _ actions: ActionSet = ActionSet(.getObject),
    _ place: String = "photos/cat.jpg",
    facts: AccessQuestion.BucketFacts = .init(),
    now: Instant = Instant(secondsSince1970: 1_800_000_000),
    from address: String? = "203.0.113.7",
    transport: AccessQuestion.Circumstances.Transport = .tls
) throws -> AccessQuestion {
    AccessQuestion(
        principal: principal,
        basis: basis,
        actions: actions,
        target: try target(place),
        bucket: facts,
        circumstances: .init(now: now, sourceAddress: address.flatMap { IPAddress($0) }, transport: transport)
    )
}

func policies(_ documents: String..., appliesTo: [String] = ["*", "anonymous"]) throws -> PolicySet {
    PolicySet(
        try documents.enumerated().map { index, document in
            PolicySet.Entry(
                name: "p\(index + 1)",
                appliesTo: try appliesTo.map { try PrincipalPattern(parsing: $0) },
                document: try PolicyDocument(parsing: document.utf8)
            )
        }
    )
}

/// A document of one statement: `Allow s3:GetObject arn... condition`.
func document(
    _ effect: String,
    _ action: String,
    _ resource: String = "*",
    condition: String? = nil
) -> String {
    """
    {"Version": "2012-10-17", "Statement": [{"Effect": "\(effect)", "Action": "\(action)",
     "Resource": "\(resource == "*" ? "*" : "arn:aws:s3:::" + resource)"\(condition.map { ", \"Condition\": " + $0 } ?? "")}]}
    """
}

/// Headers and query parameters by name; a name may be given several times.
func request(_ parts: [(String, String)]) -> (RequestValue) -> [[UInt8]] {
    { part in
        let name =
            switch part {
            case .header(let name), .client(let name): "\(name)"
            case .query(let name): "?\(name)"
            }
        return parts.filter { $0.0 == name }.map { Array($0.1.utf8) }
    }
}

let nothingSent: @Sendable (RequestValue) -> [[UInt8]] = { _ in [] }
