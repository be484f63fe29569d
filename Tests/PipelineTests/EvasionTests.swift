import Admission
import Identity
import Pipeline
import S3API
import Testing
import WireFormats

@Suite("What a rule looks at can't be said in another place or another spelling")
struct EvasionTests {
    private func gate(denying condition: String) throws -> Gate {
        var gate = Gate()
        let document = #"""
            {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": \#(condition)}]}
            """#
        gate.policies = PolicySet([
            PolicySet.Entry(
                name: "strict",
                appliesTo: [try PrincipalPattern(parsing: "*")],
                document: try PolicyDocument(parsing: Array(document.utf8))
            )
        ])
        return gate
    }

    @Test(
        "A field that a policy denies is denied in the query too",
        arguments: [
            Call("PUT", "/photos/a", [("x-amz-storage-class", "GLACIER")], length: 1),
            Call("PUT", "/photos/a?x-amz-storage-class=GLACIER", length: 1),
            Call("PUT", "/photos/a?X-Amz-Storage-Class=GLACIER", length: 1),
        ]
    )
    func fieldsInTheQuery(call: Call) throws {
        var gate = try gate(denying: #"{"StringEquals": {"s3:x-amz-storage-class": "GLACIER"}}"#)
        try expect(403, .accessDenied, try gate.decide(call.by(.root)))
        #expect(try gate.decide(Call("PUT", "/photos/a", length: 1).by(.root)).outcome == .allowed)
    }

    @Test("A copy's source has one name", arguments: ["/docs/k", "docs/k", "%64ocs/k", "/docs/%6b"])
    func sources(value: String) throws {
        var gate = try gate(denying: #"{"StringLike": {"s3:x-amz-copy-source": "docs/*"}}"#)
        let call = Call("PUT", "/photos/a", [("x-amz-copy-source", value)])
        try expect(403, .accessDenied, try gate.decide(call.by(.root)))
    }

    @Test("Who shows no credential does not say what an object is taken for")
    func overrides() throws {
        var gate = Gate()
        let call = Call("GET", "/public/a.png?response-content-type=text/html")
        try expect(400, .invalidRequest, try gate.decide(call))
        #expect(try gate.decide(call.by(.root)).outcome == .allowed)
    }
}
