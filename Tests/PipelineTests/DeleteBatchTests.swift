import Admission
import Foundation
import HTTP1
import Identity
import Pipeline
import S3API
import Testing

@Suite("DeleteObjects is decided key by key")
struct DeleteBatchTests {
    private static func call(_ bucket: String = "photos") -> Call { Call("POST", "/\(bucket)?delete", length: 500) }

    private static func document(_ keys: [String], quiet: Bool = false) -> String {
        "<Delete>" + (quiet ? "<Quiet>true</Quiet>" : "")
            + keys.map { "<Object><Key>\($0)</Key></Object>" }.joined() + "</Delete>"
    }

    private static func answer(deleted: [String], failed: [String] = []) -> String {
        "<DeleteResult>" + deleted.map { "<Deleted><Key>\($0)</Key></Deleted>" }.joined()
            + failed.map { "<Error><Key>\($0)</Key><Code>InternalError</Code><Message>m</Message></Error>" }.joined()
            + "</DeleteResult>"
    }

    @Test("What may be deleted goes to the store; what may not comes back as that key's error")
    func keyByKey() throws {
        var gate = Gate()
        let plan = try gate.decide(Self.call().signed(by: .models)).plan
        let forward = try plan.given(body: Self.document(["models/a", "private/b", "models/c"])).forward()
        let sent = try #require(forward.document)
        #expect(sent.contains("models/a") && sent.contains("models/c") && !sent.contains("private/b"))
        let answer = Self.answer(deleted: ["models/a"], failed: ["models/c"])
        let reply = try forward.given(200, document: answer).reply()
        #expect(reply.status == 200)
        #expect(reply.text.contains("<Deleted><Key>models/a</Key></Deleted>"))
        #expect(reply.text.contains("<Error><Key>private/b</Key><Code>AccessDenied</Code>"))
        #expect(reply.text.contains("<Error><Key>models/c</Key><Code>InternalError</Code>"))
    }

    @Test("A batch of many keys holds its event loop for a slice of them, and is decided like a small one")
    func manyKeys() async throws {
        var gate = Gate()
        let keys = (0..<1000).map { $0 % 3 == 0 ? "private/\($0)" : "models/\($0)" }
        let plan = try gate.decide(Self.call().signed(by: .models)).plan.given(body: Self.document(keys))
        guard case .wait(let make) = plan else {
            Issue.record("it was decided on the event loop")
            return
        }
        let forward = try await make().forward()
        #expect(try #require(forward.document).components(separatedBy: "<Key>models/").count == 667)
        #expect(forward.document?.contains("private/") == false)
        let reply = try forward.given(200, document: Self.answer(deleted: ["models/1"])).reply()
        #expect(reply.text.components(separatedBy: "<Error><Key>private/").count == 335)
    }

    /// Denies what is about one version.
    private static func versionDenied(_ version: String) throws -> PolicySet {
        let document = """
            {"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":["s3:GetObjectVersion","s3:DeleteObjectVersion"],
             "Resource":"*","Condition":{"StringEquals":{"s3:VersionId":"\(version)"}}}]}
            """
        return PolicySet([
            PolicySet.Entry(
                name: "versions",
                appliesTo: [try PrincipalPattern(parsing: "*")],
                document: try PolicyDocument(parsing: document.utf8)
            )
        ])
    }

    @Test("A version that a policy keeps from being deleted is not deleted by a batch either")
    func deniedVersion() throws {
        var gate = Gate()
        gate.policies = try Self.versionDenied("V")
        try expect(403, .accessDenied, gate.decide(Call("DELETE", "/photos/a?versionId=V").signed()))
        #expect(try gate.decide(Call("DELETE", "/photos/a?versionId=W").signed()).outcome == .allowed)
        let document = """
            <Delete><Object><Key>a</Key><VersionId>V</VersionId></Object>
            <Object><Key>a</Key><VersionId>W</VersionId></Object></Delete>
            """
        let sent = try gate.decide(Self.call().signed()).plan.given(body: document).forward().document
        #expect(
            sent?.contains("<VersionId>W</VersionId>") == true && sent?.contains("<VersionId>V</VersionId>") == false
        )
        // Of the request itself, it says nothing about the keys.
        let other = Call("POST", "/photos?delete&versionId=W", length: 500)
        let decision = try gate.decide(other.signed())
        if case .collect = decision.plan {
            let reply = try decision.plan.given(
                body: "<Delete><Object><Key>a</Key><VersionId>V</VersionId></Object></Delete>"
            )
            #expect(try reply.reply().text.contains("<Code>AccessDenied</Code>"))
        }
    }

    @Test("A version that a policy keeps from being read is not copied either")
    func deniedSourceVersion() throws {
        var gate = Gate()
        gate.policies = try Self.versionDenied("V")
        try expect(403, .accessDenied, gate.decide(Call("GET", "/photos/a?versionId=V").signed()))
        func copy(_ version: String, _ path: String = "/photos/b") -> Call {
            Call("PUT", path, [("x-amz-copy-source", "/photos/a?versionId=" + version)]).signed()
        }
        for path in ["/photos/b", "/photos/b?partNumber=1&uploadId=u"] {
            try expect(403, .accessDenied, gate.decide(copy("V", path)))
            try expect(403, .accessDenied, gate.decide(copy("%56", path)))
            #expect(try gate.decide(copy("W", path)).outcome == .allowed)
        }
    }

    @Test("Where nothing may be deleted, the store hears nothing")
    func nothingAllowed() throws {
        for call in [Self.call().signed(by: .reader), Self.call().signed(by: .models)] {
            var gate = Gate()
            let reply = try gate.decide(call).plan.given(body: Self.document(["a", "b"])).reply()
            #expect(reply.status == 200)
            #expect(reply.text.split(separator: "<Code>AccessDenied</Code>").count == 3)
            #expect(!reply.text.contains("<Deleted>"))
        }
    }

    @Test("An anonymous caller's document is not even read")
    func anonymousIsRefusedBeforeTheDocument() throws {
        var gate = Gate()
        #expect(try gate.decide(Self.call()).plan.reply().status == 403)
    }

    @Test("Quiet leaves out what went well, and nothing else")
    func quiet() throws {
        var gate = Gate()
        let plan = try gate.decide(Self.call().signed(by: .models)).plan
        let forward = try plan.given(body: Self.document(["models/a", "b"], quiet: true)).forward()
        // The store is always asked for everything, so that the answer can be put together.
        #expect(forward.document?.contains("<Quiet>true") == false)
        let reply = try forward.given(200, document: Self.answer(deleted: ["models/a"])).reply()
        #expect(!reply.text.contains("<Deleted>"))
        #expect(reply.text.contains("<Key>b</Key>"))
    }

    @Test("Keys behind a prefix are the client's on this side and the store's on that")
    func prefix() throws {
        var gate = Gate()
        let plan = try gate.decide(Self.call("prefixed").by(.root)).plan
        let forward = try plan.given(body: Self.document(["a &amp; b"])).forward()
        #expect(forward.target == "/shared?delete=")
        #expect(forward.document?.contains("<Key>v2/a &amp; b</Key>") == true)
        let reply = try forward.given(200, document: Self.answer(deleted: ["v2/a &amp; b", "elsewhere"])).reply()
        #expect(reply.text.contains("<Key>a &amp; b</Key>"))
        #expect(!reply.text.contains("v2/") && !reply.text.contains("elsewhere"))
    }

    @Test("Conditions on a key reach the store, which judges them")
    func conditions() throws {
        var gate = Gate()
        let document = """
            <Delete><Object><Key>a</Key><ETag>"e"</ETag><LastModifiedTime>t</LastModifiedTime><Size>3</Size></Object></Delete>
            """
        let forward = try gate.decide(Self.call("prefixed").by(.root)).plan.given(body: document).forward()
        let sent =
            "<Key>v2/a</Key><ETag>&quot;e&quot;</ETag><LastModifiedTime>t</LastModifiedTime><Size>3</Size></Object>"
        #expect(forward.document?.contains(sent) == true)
    }

    @Test("A version needs the right to delete versions")
    func versions() throws {
        var gate = Gate()
        let document = "<Delete><Object><Key>models/a</Key><VersionId>v</VersionId></Object></Delete>"
        let own = try gate.decide(Self.call().by(.alice)).plan.given(body: document).forward()
        #expect(own.document?.contains("<VersionId>v</VersionId>") == true)
        let reader = try gate.decide(Self.call().signed(by: .reader)).plan.given(body: document).reply()
        #expect(reader.text.contains("<VersionId>v</VersionId><Code>AccessDenied</Code>"))
    }

    @Test(
        "What is no list of keys is refused",
        arguments: [
            ("", "MalformedXML"), ("<Delete/>", "MalformedXML"), ("<Other/>", "MalformedXML"),
            ("<!DOCTYPE d><Delete><Object><Key>a</Key></Object></Delete>", "MalformedXML"),
            ("<Delete><Object><Key>a</Key><ETag>1</ETag><ETag>2</ETag></Object></Delete>", "MalformedXML"),
            ("<Delete><Object><Key>a</Key><ETag> </ETag></Object></Delete>", "MalformedXML"),
            ("<Delete><Object><Key>a</Key><IfMatch>1</IfMatch></Object></Delete>", "MalformedXML"),
            ("<Delete><Object><Key>a/../b</Key></Object></Delete>", "InvalidURI"),
        ]
    )
    func malformed(body: String, code: String) throws {
        var gate = Gate()
        let reply = try gate.decide(Self.call().signed()).plan.given(body: body).reply()
        #expect(reply.status == 400)
        #expect(reply.code == code)
    }

    @Test("A store's refusal of the whole is passed on as one error")
    func storeRefuses() throws {
        var gate = Gate()
        let forward = try gate.decide(Self.call().signed()).plan.given(body: Self.document(["a"])).forward()
        let reply = try forward.given(503, document: "<Error><Code>SlowDown</Code></Error>").reply()
        #expect(reply.status == 503)
        #expect(reply.code == "SlowDown")
    }
}
