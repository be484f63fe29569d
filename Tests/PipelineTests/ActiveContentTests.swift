import HTTP1
import Pipeline
import Testing

@Suite("Pages from buckets do not act as pages of the origin that takes cookies")
struct ActiveContentTests {
    private static let presigned = Call("GET", "/photos/page.html").presigned()

    private func policy(_ call: Call, _ type: String = "text/html", cookie: String? = "session") throws -> String? {
        var gate = Gate([], cookie: cookie)
        guard case .stream(_, let fields) = try gate.decide(call).forward().given(200, [("content-type", type)]) else {
            throw OtherPlan()
        }
        return fields.string("content-security-policy")
    }

    @Test(
        "What a browser can open as a page is in a sandbox",
        arguments: ["text/html", "image/svg+xml", "text/xml", ""]
    )
    func sandboxed(type: String) throws {
        #expect(try policy(Self.presigned, type) == "sandbox")
        #expect(try policy(Call("GET", "/public/page.html"), type) == "sandbox")
    }

    @Test("What browsers do not run, what they can't open, and what no cookie is at stake for is as the store says")
    func free() throws {
        for type in ["image/png", "text/plain", "application/pdf", "video/mp4"] {
            #expect(try policy(Self.presigned, type) == nil)
        }
        #expect(try policy(Self.presigned, cookie: nil) == nil)
        #expect(try policy(Call("GET", "/photos/page.html").signed()) == nil)
        #expect(try policy(Call("GET", "/photos/page.html").by(.alice)) == nil)
        // A bucket's own host is an origin of its own.
        #expect(try policy(Call("GET", "/page.html").on(host: "public.s3.example.com")) == nil)
    }
}
