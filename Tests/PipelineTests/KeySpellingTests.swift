import Admission
import Backends
import HTTP1
import Identity
import Pipeline
import S3API
import Signatures
import Testing
import WireFormats

/// SeaweedFS takes `\` for `/`, several slashes for one, and drops one in front.
@Suite("What is decided is what the store serves, however a key's slashes are written")
struct KeySpellingTests {
    private static let spellings = [
        "models/secret%5Cx", "models%5Csecret/x", "models//secret/x", "models/secret//x", "/models/secret/x",
        "%5Cmodels/secret/x", "models/%5Csecret/x",
    ]

    private func denying(_ statement: String) throws -> PolicySet {
        PolicySet([
            PolicySet.Entry(
                name: "secret",
                appliesTo: [try PrincipalPattern(parsing: "*")],
                document: try PolicyDocument(
                    parsing: #"{"Version": "2012-10-17", "Statement": [\#(statement)]}"#.utf8
                )
            )
        ])
    }

    private func gate() throws -> Gate {
        var gate = Gate()
        gate.policies = try denying(
            #"{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::*/models/secret/*"}"#
        )
        return gate
    }

    private static func bucket(_ name: String, at url: String) throws -> Bucket {
        let endpoint = try #require(Endpoint(url: url))
        return Bucket(
            name: try #require(BucketName(validating: name)),
            backend: S3Backend(
                endpoint: endpoint,
                region: "us-east-1",
                bucketName: name,
                signer: SigV4Signer(accessKeyID: "AKSTORE", secret: Secret("s"), region: "us-east-1")
            ),
            upstream: Upstream(name: name, endpoint: endpoint),
            hardening: []
        )
    }

    @Test("A Deny of a folder is not passed by another spelling of it", arguments: spellings)
    func denied(key: String) throws {
        var gate = try gate()
        for method in ["GET", "HEAD", "PUT", "DELETE"] {
            let call = Call(method, "/photos/\(key)", length: method == "PUT" ? 1 : nil).signed()
            let decision = try gate.decide(call)
            try expect(403, method == "HEAD" ? nil : .accessDenied, decision)
            #expect(decision.reason == "explicit_deny:secret")
        }
        let copy = Call("PUT", "/photos/mine", [("x-amz-copy-source", "/photos/\(key)")], length: 0).signed()
        try expect(403, .accessDenied, try gate.decide(copy))
        gate.gateways = GatewayRules(gateways: ["192.0.2.0/24"].compactMap { CIDR($0) })
        var check = Call("GET", "/photos/\(key)").signed()
        check.path = "/-/authz/envoy" + check.path
        #expect(try gate.decide(check).outcome == .denied)
    }

    @Test("A key of a batch is decided as what the store deletes")
    func batches() throws {
        var gate = try gate()
        let keys = ["models/secret\\x", "/models/secret/x", "models//secret/x", "models/other\\x"]
        let document = "<Delete>" + keys.map { "<Object><Key>\($0)</Key></Object>" }.joined() + "</Delete>"
        let plan = try gate.decide(Call("POST", "/photos?delete", length: 500).signed()).plan
        let sent = try #require(try plan.given(body: document).forward().document)
        #expect(sent.contains("models/other\\x") && !sent.contains("secret"))
    }

    @Test(
        "A listing of a folder that is denied is not had by another spelling",
        arguments: ["models/secret//", "/models/secret/"]
    )
    func listings(prefix: String) throws {
        var gate = Gate()
        gate.policies = try denying(
            #"{"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*", "Condition": {"StringLike": {"s3:prefix": "models/secret/*"}}}"#
        )
        try expect(403, .accessDenied, try gate.decide(Call("GET", "/photos?prefix=\(prefix)").signed()))
        #expect(try gate.decide(Call("GET", "/photos?prefix=models/").signed()).outcome == .allowed)
    }

    @Test("An Allow of everything else allows no other spelling of it", arguments: spellings)
    func notResource(key: String) throws {
        var gate = Gate()
        gate.policies = try denying(
            #"{"Effect": "Allow", "Action": "s3:GetObject", "NotResource": "arn:aws:s3:::docs/models/secret/*"}"#
        )
        let decision = try gate.decide(Call("GET", "/docs/\(key)").by(.alice))
        try expect(403, .accessDenied, decision)
        let isCovered = key.hasPrefix("models/secret//")
        #expect(decision.reason == (isCovered ? "not_permitted:get_object" : "other_spelling:get_object"))
        #expect(try gate.decide(Call("GET", "/docs/models/other").by(.alice)).outcome == .allowed)
    }

    @Test("A condition on a copy's source sees the source that the store copies")
    func copySources() throws {
        var gate = Gate()
        gate.policies = try denying(
            #"{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"StringLike": {"s3:x-amz-copy-source": "docs/secret/*"}}}"#
        )
        let call = Call("PUT", "/photos/a", [("x-amz-copy-source", "/docs/secret%5Cx")], length: 0)
        try expect(403, .accessDenied, try gate.decide(call.signed()))
    }

    @Test("A key of slashes alone stands for nothing", arguments: ["/", "%5C", "%5C/"])
    func slashesAlone(key: String) throws {
        var gate = Gate()
        try expect(403, .accessDenied, try gate.decide(Call("PUT", "/photos/\(key)", length: 1).signed()))
    }

    @Test("Where every key is kept, each is decided as itself", arguments: spellings)
    func kept(key: String) throws {
        var gate = try gate()
        gate.otherBuckets = [
            try Self.bucket("at-aws", at: "https://s3.us-east-1.amazonaws.com"),
            try Self.bucket("elsewhere", at: "http://minio:9000"),
        ]
        // The policy's star stands for a slash as well as for anything else.
        let itself = key.hasPrefix("models/secret//") || key.hasPrefix("/") ? "denied" : "allowed"
        #expect(try "\(gate.decide(Call("GET", "/at-aws/\(key)").signed()).outcome)" == itself)
        #expect(try gate.decide(Call("GET", "/elsewhere/\(key)").signed()).outcome == .denied)
    }

    @Test("Keys that no rule is about go through byte for byte", arguments: ["other%5Cx", "a//b", "/lead"])
    func free(key: String) throws {
        var gate = try gate()
        let forward = try gate.decide(Call("GET", "/photos/\(key)").signed()).plan.forward()
        #expect(forward.request.path == Array("/photos/\(key)".utf8))
    }

    @Test(
        "Quarantine is out of reach however its slashes are written",
        arguments: [
            ".gatehouse%5Cquarantine%5C0123%5Ca.png", ".gatehouse//quarantine/0123/a.png",
            "/.gatehouse/quarantine/0123/a.png", ".gatehouse/quarantine%5C0123/a.png",
            "%5C.gatehouse/quarantine/0123/a",
        ]
    )
    func quarantine(key: String) throws {
        var gate = Gate()
        gate.otherBuckets = [try Self.bucket("at-aws", at: "https://s3.us-east-1.amazonaws.com")]
        for bucket in ["photos", "at-aws"] {
            for method in ["GET", "HEAD", "PUT", "DELETE"] {
                let call = Call(method, "/\(bucket)/\(key)", length: method == "PUT" ? 5 : nil).signed()
                #expect(try gate.decide(call).reason == "quarantine")
            }
            let copy = Call("PUT", "/\(bucket)/mine", [("x-amz-copy-source", "/\(bucket)/\(key)")], length: 0)
            #expect(try gate.decide(copy.signed()).reason == "quarantine")
        }
        let name = key.replacing("%5C", with: "\\")
        let document = "<Delete><Object><Key>\(name)</Key></Object></Delete>"
        let plan = try gate.decide(Call("POST", "/photos?delete", length: 500).signed()).plan
        #expect(try plan.given(body: document).reply().text.contains("<Code>AccessDenied</Code>"))
    }

    @Test("At Azure no key has a backslash, and the folder of unfinished uploads has one spelling")
    func azure() throws {
        var gate = Gate()
        gate.hasOtherKinds = true
        try expect(400, .invalidArgument, try gate.decide(Call("GET", "/azured/a%5Cb").signed()))
        let copy = Call("PUT", "/azured/a", [("x-amz-copy-source", "/azured/a%5Cb")], length: 0)
        try expect(400, .invalidArgument, try gate.decide(copy.signed()))
        for key in [".gatehouse//uploads/x", "/.gatehouse/uploads/x"] {
            try expect(403, .accessDenied, try gate.decide(Call("GET", "/azured/\(key)").signed()))
        }
        #expect(try gate.decide(Call("GET", "/azured/a//b").signed()).outcome == .allowed)
    }
}
