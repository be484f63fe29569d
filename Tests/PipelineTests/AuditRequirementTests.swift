import HTTP1
import Pipeline
import S3API
import Testing

@Suite("on_error = \"deny\": nothing is done that can't be written down")
struct AuditRequirementTests {
    private static let calls = [
        Call("GET", "/public/a.txt"), Call("GET", "/photos/a.txt").by(.alice),
        Call("PUT", "/photos/a.txt", length: 5).by(.alice), Call("GET", "/photos/a.txt").signed(),
        Call("GET", "/").by(.root), Call("GET", "/photos/a.txt").with("x-api-key", "wrong"),
    ]

    @Test("While the audit log can't be written, every request is answered 503", arguments: calls)
    func refused(call: Call) throws {
        var gate = Gate()
        gate.server = Gate.settings(requiresAudit: true)
        gate.auditIsHealthy = false
        let decision = try gate.decide(call)
        try expect(503, .serviceUnavailable, decision)
        #expect(try decision.reply().fields.string("retry-after") == "1")
        // A decision, so that writing it down is tried and the log is found to work again.
        #expect(decision.outcome == .denied)
        #expect(decision.reason == "audit_unavailable")
        gate.auditIsHealthy = true
        #expect(try gate.decide(call).reason != "audit_unavailable")
    }

    @Test(
        "It lives, and is not ready: nobody is to be sent to where everything is refused",
        arguments: ["GET", "HEAD"]
    )
    func probes(method: String) throws {
        var gate = Gate()
        gate.server = Gate.settings(requiresAudit: true)
        gate.auditIsHealthy = false
        #expect(try gate.decide(Call(method, "/-/health")).reply().status == 200)
        let unready = try gate.decide(Call(method, "/-/ready")).reply()
        #expect(unready.status == 503)
        #expect(unready.text == #"{"status":"unavailable"}"#)
        gate.auditIsHealthy = true
        #expect(try gate.decide(Call(method, "/-/ready")).reply().status == 200)
    }

    @Test("A server that ends lives, and is not ready")
    func draining() throws {
        var gate = Gate()
        gate.isDraining = true
        #expect(try gate.decide(Call("GET", "/-/health")).reply().status == 200)
        #expect(try gate.decide(Call("GET", "/-/ready")).reply().status == 503)
        #expect(try gate.decide(Call("GET", "/public/a.txt")).outcome == .allowed)
    }

    @Test("on_error = \"continue\" serves on")
    func otherwise() throws {
        var gate = Gate()
        gate.auditIsHealthy = false
        #expect(try gate.decide(Call("GET", "/public/a.txt")).outcome == .allowed)
        #expect(try gate.decide(Call("GET", "/-/ready")).reply().status == 200)
    }
}
