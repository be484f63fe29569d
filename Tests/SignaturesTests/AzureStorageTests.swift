import Foundation
import HTTP1
import Signatures
import Testing
import WireFormats

/// What azure-storage-blob signed, as kept in `Vectors/azure.json`.
private struct AzureVectors: Decodable, Sendable {
    struct Signed: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        let path: String
        let query: String
        let fields: [[String]]
        let stringToSign: String
        let authorization: String

        var testDescription: String { name }
    }

    struct URL: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let blob: String
        let permission: String
        let transport: String
        let delegated: Bool
        let overrides: [String: String]
        let query: [String: String]

        var testDescription: String { name }
    }

    let account: String
    let key: String
    let now: Int64
    let version: String
    let requests: [Signed]
    let urls: [URL]

    static let all: AzureVectors? = {
        do { return try JSONDecoder().decode(AzureVectors.self, from: vectorFile("azure")) } catch {
            Issue.record("azure.json: \(error)")
            return nil
        }
    }()
}

@Suite struct AzureStorageTests {
    private let vectors: AzureVectors
    private let signer: SharedKeySigner

    init() throws {
        vectors = try #require(AzureVectors.all)
        signer = try #require(SharedKeySigner(account: vectors.account, key: Secret(vectors.key)))
    }

    @Test(arguments: AzureVectors.all?.requests ?? [])
    private func requestIsSignedAsTheSDKSignsIt(_ vector: AzureVectors.Signed) throws {
        var request = OutgoingRequest(
            method: HTTPMethod(vector.method.utf8),
            path: Array(vector.path.utf8),
            query: Array(vector.query.utf8)
        )
        for field in vector.fields { request.fields.append(field[0].utf8, field[1].utf8) }
        request.fields.append("x-ms-version", vectors.version)
        #expect(signer.sign(&request, at: Instant(secondsSince1970: vectors.now)) == vector.stringToSign)
        #expect(request.fields.string("authorization") == vector.authorization)
    }

    @Test(arguments: AzureVectors.all?.urls ?? [])
    private func urlIsSignedAsTheSDKSignsIt(_ vector: AzureVectors.URL) throws {
        var overrides = SharedAccessSignature.Overrides()
        overrides.cacheControl = vector.overrides["cache_control"] ?? ""
        overrides.contentDisposition = vector.overrides["content_disposition"] ?? ""
        overrides.contentEncoding = vector.overrides["content_encoding"] ?? ""
        overrides.contentLanguage = vector.overrides["content_language"] ?? ""
        overrides.contentType = vector.overrides["content_type"] ?? ""
        let signature = SharedAccessSignature(
            account: vectors.account,
            container: "pictures",
            blob: vector.blob,
            permission: try #require(.init(rawValue: vector.permission)),
            expiry: Instant(secondsSince1970: vectors.now + 300),
            transport: try #require(.init(rawValue: vector.transport)),
            overrides: overrides
        )
        let query =
            vector.delegated
            ? try #require(signature.query(signedBy: try delegationKey(vector))) : signature.query(signedBy: signer)
        var found: [String: String] = [:]
        query.forEach { name, value, _ in
            found[String(decoding: name, as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
        #expect(found == vector.query.mapValues { $0.removingPercentEncoding ?? $0 })
    }

    private func delegationKey(_ vector: AzureVectors.URL) throws -> UserDelegationKey {
        UserDelegationKey(
            objectID: try #require(vector.query["skoid"]),
            tenantID: try #require(vector.query["sktid"]),
            start: try #require(vector.query["skt"]?.removingPercentEncoding),
            expiry: try #require(vector.query["ske"]?.removingPercentEncoding),
            service: try #require(vector.query["sks"]),
            version: try #require(vector.query["skv"]),
            value: Secret(vectors.key)
        )
    }

    @Test(arguments: ["", "not base64!", "===="])
    func keyThatIsNoneIsRefused(_ key: String) {
        #expect(SharedKeySigner(account: "a", key: Secret(key)) == nil)
    }
}
