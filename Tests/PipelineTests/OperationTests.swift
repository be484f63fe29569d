import Crypto
import HTTP1
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

@Suite("What is asked is what is done, or it is refused")
struct OperationTests {
    @Test(
        "A subresource never becomes the plain operation on the object",
        arguments: [
            ("PUT", "tagging", "put_object_tagging"), ("DELETE", "tagging", "delete_object_tagging"),
            ("GET", "tagging", "get_object_tagging"), ("PUT", "acl", "put_object_acl"),
            ("GET", "acl", "get_object_acl"), ("PUT", "retention", "put_object_retention"),
            ("PUT", "legal-hold", "put_object_legal_hold"), ("POST", "restore", "restore_object"),
            ("GET", "attributes", "get_object_attributes"), ("GET", "uploadId=u", "list_parts"),
            ("DELETE", "uploadId=u", "abort_multipart_upload"), ("POST", "uploads", "create_multipart_upload"),
        ]
    )
    func subresources(method: String, query: String, operation: String) throws {
        let length: Int64? = method == "PUT" || query == "restore" ? 10 : nil
        let call = Call(method, "/photos/a.txt?" + query, length: length)
        var gate = Gate()
        gate.policies = try .everything(for: "key:akfull")
        let decision = try gate.decide(call.signed())
        #expect(decision.operationName == operation)
        switch decision.plan {
        case .reply, .wait, .reconsider, .readForm, .issue, .transfer: Issue.record("refused, or not decided")
        case .collect: #expect(length != nil)
        case .forward(let forward):
            #expect(forward.target == "/photos/a.txt?" + query + (query.contains("=") ? "" : "="))
            #expect(forward.request.method.name == method)
        }
    }

    @Test(
        "What is not known is refused, never left out",
        arguments: [
            Call("PUT", "/photos/a.txt?nonsense", length: 1), Call("DELETE", "/photos/a.txt?nonsense"),
            Call("GET", "/photos/a.txt?acl&tagging"), Call("DELETE", "/photos/a.txt?tagging&tagging"),
            Call("GET", "/photos/a.txt", [("x-amz-no-such-thing", "1")]),
        ]
    )
    func unknown(call: Call) throws {
        var gate = Gate()
        let decision = try gate.decide(call.signed())
        try expect(501, .notImplemented, decision)
        #expect(decision.outcome == .undecided)
    }

    @Test("A POST to a bucket is a form or nothing")
    func postIsAForm() throws {
        var gate = Gate()
        try expect(412, .preconditionFailed, try gate.decide(Call("POST", "/photos", length: 1).signed()))
    }

    @Test("DELETE of a version names the version to the store; an empty one is refused")
    func versions() throws {
        var gate = Gate()
        #expect(
            try gate.decide(Call("DELETE", "/photos/a.txt?versionId=v1").signed()).forward().target
                == "/photos/a.txt?versionId=v1"
        )
        try expect(400, .invalidArgument, gate.decide(Call("DELETE", "/photos/a.txt?versionId=").signed()))
    }

    @Test("What a writer says about the object reaches the store, and what is about this hop does not")
    func fields() throws {
        let carried = [
            ("x-amz-meta-colour", "blue"), ("x-amz-storage-class", "STANDARD_IA"), ("x-amz-tagging", "a=b"),
            ("x-amz-checksum-crc32", "AAAAAA=="), ("x-amz-server-side-encryption", "AES256"),
            ("x-amz-acl", "private"), ("content-type", "text/plain"), ("cache-control", "no-cache"),
            ("if-none-match", "*"), ("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg=="),
        ]
        let dropped = [("cookie", "a=b"), ("x-forwarded-for", "1.2.3.4"), ("te", "trailers"), ("via", "1.1 x")]
        var gate = Gate()
        gate.policies = try .everything(for: "key:akfull")
        let call = Call("PUT", "/photos/a.txt", carried + dropped, length: 5)
        let sent = try gate.decide(call.signed()).forward().request.fields
        for (name, value) in carried {
            let found = sent.entries.filter { text(sent.name($0)) == name }.map { text(sent.value($0)) }
            #expect(found == [value], "\(name)")
        }
        for (name, _) in dropped { #expect(!sent.entries.contains { text(sent.name($0)) == name }) }
        #expect(sent.string("authorization")?.contains("AKSTORE/") == true)
        #expect(sent.string("authorization")?.contains("AKFULL") == false)
        #expect(sent.string("host") == "north")
    }

    @Test("The client's own credential never reaches a store", arguments: [true, false])
    func credentialsStay(presigned: Bool) throws {
        let call = Call("GET", "/photos/a.txt")
        var gate = Gate()
        let request = try gate.decide(presigned ? call.presigned() : call.by(.root)).forward().request
        #expect(request.query.isEmpty)
        #expect(request.fields.count(of: "x-api-key") == 0)
        #expect(request.fields.count(of: "authorization") == 1)
    }

    @Test("A bucket nobody has is 404 to who may know, and nothing to who may not")
    func nobodysBucket() throws {
        var gate = Gate()
        try expect(404, .noSuchBucket, gate.decide(Call("GET", "/nobody/a.txt").signed()))
        try expect(403, .accessDenied, gate.decide(Call("GET", "/nobody/a.txt").by(.alice)))
        try expect(403, .accessDenied, gate.decide(Call("GET", "/nobody/a.txt")))
    }

    @Test(
        "Configuring a bucket is for its owner alone: not behind a prefix, not where two entries share it",
        arguments: [("photos", true), ("prefixed", false), ("shared-too", false)]
    )
    func bucketConfiguration(bucket: String, possible: Bool) throws {
        var gate = Gate()
        gate.hasOpenAccount = true
        gate.policies = try .everything(for: "key:akfull")
        for query in ["versioning", "cors", "policy", "lifecycle"] {
            let decision = try gate.decide(Call("GET", "/\(bucket)?\(query)").signed())
            if possible {
                #expect(try decision.forward().target == "/\(bucket)?\(query)=")
            } else {
                try expect(501, .notImplemented, decision)
            }
        }
    }

    @Test("Buckets are made and removed only where the account owns every bucket")
    func makingBuckets() throws {
        var gate = Gate()
        gate.policies = try .everything(for: "key:akfull")
        try expect(501, .notImplemented, gate.decide(Call("DELETE", "/photos").signed()))
        try expect(404, .noSuchBucket, gate.decide(Call("DELETE", "/brand-new").signed()))
        gate.hasOpenAccount = true
        try expect(501, .notImplemented, gate.decide(Call("DELETE", "/photos").signed()))
        #expect(try gate.decide(Call("DELETE", "/brand-new").signed()).forward().target == "/brand-new")
        let made = try gate.decide(Call("PUT", "/brand-new").signed()).plan.given(body: "").forward()
        #expect(made.target == "/brand-new")
        // The store's region, not the one that clients sign for.
        #expect(made.document?.contains("<LocationConstraint>eu-west-1</LocationConstraint>") == true)
        try expect(403, .accessDenied, gate.decide(Call("PUT", "/brand-new").by(.alice)))
    }

    @Test("Whoever may create buckets hears that a name is taken; nobody takes one from the configuration")
    func takenNames() throws {
        var gate = Gate()
        try expect(403, .accessDenied, gate.decide(Call("PUT", "/photos").signed()))
        gate.policies = try .everything(for: "key:akfull")
        try expect(501, .notImplemented, gate.decide(Call("PUT", "/photos").signed()))
        try expect(501, .notImplemented, gate.decide(Call("PUT", "/brand-new").signed()))
        gate = Gate()
        gate.hasOpenAccount = true
        try expect(409, .bucketAlreadyExists, gate.decide(Call("PUT", "/photos").signed()))
        try expect(403, .accessDenied, gate.decide(Call("PUT", "/photos").signed(by: .reader)))
        try expect(403, .accessDenied, gate.decide(Call("DELETE", "/photos").signed()))
    }

    @Test(
        "An account of every other bucket is no second door to what an entry calls something else",
        arguments: ["shared", "at-the-store"]
    )
    func secondDoor(name: String) throws {
        var gate = Gate()
        gate.hasOpenAccount = true
        gate.policies = try .everything(for: "key:akfull")
        for target in [
            "GET /\(name)/v2/k", "DELETE /\(name)/v2/k", "GET /\(name)?list-type=2", "GET /\(name)?versioning",
        ] {
            let parts = target.split(separator: " ").map(String.init)
            try expect(404, .noSuchBucket, gate.decide(Call(parts[0], parts[1]).signed()))
        }
        try expect(404, .noSuchBucket, gate.decide(Call("PUT", "/\(name)/v2/k", length: 1).signed()))
        try expect(404, .noSuchBucket, gate.decide(Call("DELETE", "/\(name)").signed()))
        try expect(409, .bucketAlreadyExists, gate.decide(Call("PUT", "/\(name)").signed()))
        let copy = Call("PUT", "/photos/k", [("x-amz-copy-source", "/\(name)/v2/k")])
        try expect(404, .noSuchBucket, gate.decide(copy.signed()))
        // What has that name at another store is another bucket.
        #expect(try gate.decide(Call("GET", "/elsewhere/k").signed()).forward().target == "/elsewhere/k")
    }

    @Test("A policy of a renamed bucket goes to the store under the store's name, or not at all")
    func renamedPolicies() throws {
        var gate = Gate()
        gate.policies = try .everything(for: "key:akfull")
        let call = Call("PUT", "/renamed?policy", length: 40)
        let own = #"{"Resource":"arn:aws:s3:::renamed/*"}"#
        let digest = Base64.encode(Array(Insecure.MD5.hash(data: Array(own.utf8))))
        let sent = try gate.decide(call.with("content-md5", digest).signed()).plan.given(body: own).forward()
        #expect(sent.document == #"{"Resource":"arn:aws:s3:::at-the-store/*"}"#)
        #expect(sent.request.fields.string("content-md5") != digest)
        let other = try gate.decide(call.signed()).plan.given(body: #"{"Resource":"arn:aws:s3:::photos/*"}"#).reply()
        #expect(other.status == 400 && other.code == "MalformedPolicy")
    }

    @Test("A customer's key that came in the open does not go on over TLS; SelectObjectContent streams")
    func customerKeys() throws {
        let key = [
            ("x-amz-server-side-encryption-customer-algorithm", "AES256"),
            ("x-amz-server-side-encryption-customer-key", "a2V5"),
        ]
        var gate = Gate()
        #expect(try gate.decide(Call("GET", "/encrypted/a.txt", key).signed()).forward().target == "/encrypted/a.txt")
        gate.clientIsSecure = false
        try expect(400, .invalidRequest, gate.decide(Call("GET", "/encrypted/a.txt", key).signed()))
        try expect(400, .invalidRequest, gate.decide(Call("PUT", "/encrypted/a.txt", key, length: 1).signed()))
        // The store is reached in the open itself, and says what it thinks of that.
        #expect(try gate.decide(Call("GET", "/photos/a.txt", key).signed()).outcome == .allowed)
        #expect(try gate.decide(Call("GET", "/encrypted/a.txt").signed()).outcome == .allowed)
    }

    @Test("What only S3 itself knows is 501 at a store that knows less", arguments: ["retention", "legal-hold"])
    func coreOnly(query: String) throws {
        var gate = Gate()
        gate.policies = try .everything(for: "key:akfull")
        try expect(501, .notImplemented, gate.decide(Call("GET", "/local/a.txt?" + query).signed()))
        #expect(try gate.decide(Call("GET", "/local/a.txt").signed()).outcome == .allowed)
        #expect(try gate.decide(Call("GET", "/local/a.txt?tagging").signed()).outcome == .allowed)
        try expect(501, .notImplemented, gate.decide(Call("GET", "/local?lifecycle").signed()))
    }
}
