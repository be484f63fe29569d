import HTTP1
import Signatures
import Testing
import WireFormats

@Suite struct SignerTests {
    private func request(_ fields: [(String, String)] = []) -> OutgoingRequest {
        var request = OutgoingRequest(method: .get, path: Array("/b/k".utf8))
        request.fields.append("host", "store.example.org")
        for (name, value) in fields { request.fields.append(name.utf8, value.utf8) }
        return request
    }

    private func signedHeaders(_ request: OutgoingRequest) throws -> String {
        let value = try #require(request.fields.string("authorization"))
        let part = try #require(value.split(separator: ", ").first { $0.hasPrefix("SignedHeaders=") })
        return String(part.dropFirst("SignedHeaders=".count))
    }

    @Test func itCoversHostAmzAndContentMd5ButNotRange() throws {
        var request = request([
            ("range", "bytes=0-1"), ("x-amz-meta-z", "1"), ("content-md5", "m"), ("x-amz-acl", "private"),
            ("if-match", "e"), ("content-length", "0"), ("x-amz-meta-z", "2"),
        ])
        Sample.signer.sign(&request, payload: .unsigned, at: Sample.signedAt)
        #expect(
            try signedHeaders(request)
                == "content-md5;host;x-amz-acl;x-amz-content-sha256;x-amz-date;x-amz-meta-z"
        )
    }

    @Test func theTokenIsSentAndSigned() throws {
        let signer = SigV4Signer(
            accessKeyID: "K",
            secret: Secret("s"),
            sessionToken: Secret("token"),
            region: "us-east-1"
        )
        var request = request()
        signer.sign(&request, payload: .empty, at: Sample.signedAt)
        #expect(request.fields.string("x-amz-security-token") == "token")
        #expect(try signedHeaders(request) == "host;x-amz-content-sha256;x-amz-date;x-amz-security-token")
    }

    @Test func theQueryIsSignedSortedWhateverItsOrder() {
        var unsorted = request()
        unsorted.query = Array("uploads&b=2&a=1&b=1&b-c=0".utf8)
        let stages = Sample.signer.sign(&unsorted, payload: .empty, at: Sample.signedAt)
        #expect(text(stages.canonicalRequest).split(separator: "\n")[2] == "a=1&b=1&b=2&b-c=0&uploads=")
    }

    @Test func theKeyChangesWithTheDay() throws {
        let signer = SigV4Signer(accessKeyID: "GHKEY", secret: Secret("secret"), region: "us-east-1")
        for day in [0, 1, 1, 0, 2] as [Int64] {
            let now = Sample.signedAt + .seconds(day * 86_400)
            var fresh = request()
            var used = request()
            SigV4Signer(accessKeyID: "GHKEY", secret: Secret("secret"), region: "us-east-1")
                .sign(&fresh, payload: .empty, at: now)
            signer.sign(&used, payload: .empty, at: now)
            #expect(used.fields.string("authorization") == fresh.fields.string("authorization"))
        }
    }

    @Test func aSignerDoesNotPrintItsSecrets() {
        let signer = SigV4Signer(
            accessKeyID: "K",
            secret: Secret("planted-secret"),
            sessionToken: Secret("planted-token"),
            region: "r"
        )
        #expect(!"\(signer)".contains("planted"))
        #expect(!String(reflecting: signer).contains("planted"))
    }
}
