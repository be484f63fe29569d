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

    @Test("Health is told all the same, and so that load balancers look", arguments: ["/-/health", "/-/ready"])
    func health(path: String) throws {
        var gate = Gate()
        gate.server = Gate.settings(requiresAudit: true)
        gate.auditIsHealthy = false
        #expect(try gate.decide(Call("GET", path)).reply().status == 200)
    }

    @Test("on_error = \"continue\" serves on")
    func otherwise() throws {
        var gate = Gate()
        gate.auditIsHealthy = false
        #expect(try gate.decide(Call("GET", "/public/a.txt")).outcome == .allowed)
    }
}
