import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

/// A signed request with the texts on the way to its signature, as kept in `Vectors/*.json`.
struct Vector: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let method: String
    let target: String
    let fields: [[String]]
    let accessKeyID: String
    let secret: String
    let sessionToken: String?
    let region: String
    let signedAt: String
    let canonicalRequest: String
    let stringToSign: String
    let signature: String

    var testDescription: String { name }

    static let aws = load("aws")
    static let botocore = load("botocore")

    private struct File: Decodable { let cases: [Vector] }

    private static func load(_ name: String) -> [Vector] {
        do { return try JSONDecoder().decode(File.self, from: vectorFile(name)).cases } catch {
            Issue.record("\(name).json: \(error)")
            return []
        }
    }

    var isPresigned: Bool { target.contains("X-Amz-Signature=") }
    var path: [UInt8] { Array(target.prefix { $0 != "?" }.utf8) }
    var rawQuery: [UInt8]? { target.firstIndex(of: "?").map { Array(target[$0...].dropFirst().utf8) } }

    /// The query without the parameters of the signature.
    var ownQuery: [UInt8] {
        Array(
            (rawQuery ?? []).split(separator: UInt8(ascii: "&")).filter { !$0.starts(with: "X-Amz-".utf8) }
                .joined(separator: [UInt8(ascii: "&")])
        )
    }

    func head(path: [UInt8]? = nil) -> RequestHead {
        var block = FieldBlock()
        for field in fields { block.append(field[0].utf8, field[1].utf8) }
        return RequestHead(
            method: HTTPMethod(method.utf8),
            path: path ?? self.path,
            query: rawQuery,
            fields: block,
            host: Array(block.first("host") ?? [])
        )
    }

    func instant() throws -> Instant { try #require(Timestamp.parseAmz(signedAt.utf8)) }

    var signer: SigV4Signer {
        SigV4Signer(
            accessKeyID: accessKeyID,
            secret: Secret(secret),
            sessionToken: sessionToken.map { Secret($0) },
            region: region
        )
    }

    /// Verifies with a cold cache.
    func verify(head: RequestHead? = nil, query: Query? = nil, now: Instant? = nil) throws -> VerifiedSignature {
        let head = head ?? self.head()
        let query = try query ?? Query(parsing: rawQuery ?? [])
        let presented = try #require(try PresentedSignature.find(in: head, query: query))
        var keys = SigningKeyCache()
        return try SigV4.verify(
            presented,
            head: head,
            query: query,
            hosts: [head.host],
            secret: Secret(secret),
            now: now ?? instant(),
            region: region,
            keys: &keys
        )
    }
}

func vectorFile(_ name: String) throws -> Data {
    let url = try #require(Bundle.module.url(forResource: name, withExtension: "json", subdirectory: "Vectors"))
    return try Data(contentsOf: url)
}

func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
