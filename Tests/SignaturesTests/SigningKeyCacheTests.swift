import Signatures
import Testing
import WireFormats

@Suite struct SigningKeyCacheTests {
    @Test func aWarmCallerIsVerifiedTheSame() throws {
        var keys = SigningKeyCache()
        let cold = try Sample.header().verify(&keys)
        #expect(keys.count == 1)
        let warm = try Sample.header().verify(&keys)
        #expect(warm.scope == cold.scope && warm.payload == cold.payload && warm.signedAt == cold.signedAt)
        #expect(try Sample.presigned().verify(&keys).scope == cold.scope)
        #expect(keys.count == 1)
    }

    @Test func aChangedSecretTakesEffectAtOnce() throws {
        var keys = SigningKeyCache()
        _ = try Sample.header().verify(&keys)
        var sample = Sample.header()
        sample.secret = "rotated"
        #expect(throws: SignatureRefusal.signatureMismatch) { try sample.verify(&keys) }
        #expect(throws: Never.self) { _ = try Sample.header().verify(&keys) }
    }

    @Test func strangersPushNobodyOut() throws {
        var keys = SigningKeyCache(capacity: 2)
        _ = try Sample.header().verify(&keys)
        for number in 0..<10 {
            var sample = Sample.header()
            sample.region = "*"
            sample.authorization = sample.authorization.replacing("us-east-1", with: "r\(number)")
            #expect(throws: SignatureRefusal.signatureMismatch) { try sample.verify(&keys) }
        }
        #expect(keys.count == 1)
    }

    @Test func itHoldsNoMoreThanItsCapacity() throws {
        var keys = SigningKeyCache(capacity: 3)
        for vector in Vector.botocore.prefix(50) {
            let head = vector.head()
            let query = try Query(parsing: vector.rawQuery ?? [])
            let presented = try #require(try PresentedSignature.find(in: head, query: query))
            _ = try SigV4.verify(
                presented,
                head: head,
                query: query,
                hosts: [],
                secret: Secret(vector.secret),
                now: vector.instant(),
                keys: &keys
            )
            #expect(keys.count <= 3)
        }
    }
}
