import HTTP1
import S3API
import Testing
import WireFormats

@testable import Pipeline

@Suite("A signature opens what it was made for, whatever X-Forwarded-Host says")
struct ForwardedHostTests {
    @Test(
        "A host agrees only where it names the same bucket and key",
        arguments: [("s3.example.com", false), ("alpha.s3.example.com", false), ("bravo.s3.example.com", true)]
    )
    func agrees(inner: String, same: Bool) throws {
        var fields = FieldBlock()
        fields.append("x-forwarded-host", "bravo.s3.example.com")
        let head = RequestHead(method: .get, path: Array("/k".utf8), fields: fields, host: Array(inner.utf8))
        let snapshot = try Gate().snapshot()
        let facts = ConnectionFacts(peer: IPAddress("10.0.0.1"), isSecure: false)
        let origin = RequestOrigin(head, facts, trusted: [try #require(CIDR("10.0.0.0/8"))])
        let asking = Asking(
            head: head,
            origin: origin,
            snapshot: snapshot,
            authorizer: NoAuthorizer(),
            now: Instant(secondsSince1970: 0),
            requestID: RequestID(random: 1),
            state: KnownState()
        )
        let located = try Located(asking)
        #expect(located.address == .object(try #require(BucketName(validating: "bravo")), ObjectKey("k")))
        #expect(located.isSame(under: Array(inner.utf8), asking) == same)
    }
}
