import Testing
import WireFormats

@testable import ControlPlane

@Suite("A slot's key may name what the caller's token says")
struct SlotKeyTests {
    private static let id = "0123456789abcdef0123456789abcdef"

    /// The key, or the refusal's code and what it says.
    private func key(_ body: String, _ claims: [String: String] = [:]) throws -> String {
        let body = try #require(JSONObject(try StrictJSON(parsing: body.utf8)))
        do throws(APIFailure) {
            return String(decoding: try SlotKey(body).text(id: Self.id, claims: claims), as: UTF8.self)
        } catch {
            return error.code.name
        }
    }

    @Test(
        "Claims and the slot's id stand where they are named",
        arguments: [
            ("users/{sub}/a.png", "users/alice/a.png"), ("{claims.sub}/{org}", "alice/acme"),
            ("{sub}/{upload.id}.png", "alice/\(id).png"), ("{sub}{sub}", "alicealice"), ("plain", "plain"),
            ("{https_claim-1.x}", "dotted"),
        ]
    )
    func filled(template: String, expected: String) throws {
        let claims = ["sub": "alice", "org": "acme", "https_claim-1.x": "dotted"]
        #expect(try key(#"{"key_template":"\#(template)"}"#, claims) == expected)
    }

    @Test("A key is what it is, braces and all", arguments: ["{sub}/a", "a{b", "}", "{upload.id}"])
    func literal(text: String) throws {
        #expect(try key(#"{"key":"\#(text)"}"#, ["sub": "alice"]) == text)
    }

    @Test(
        "Nobody reaches another's folder by what their token says",
        arguments: [
            "", ".", "..", "a/b", "/", "a\\b", "{sub}", "}", "*", "?", "a\u{0}", "a\n", "a\u{7F}", "a\u{85}",
            String(repeating: "a", count: 257),
        ]
    )
    func unusable(value: String) throws {
        #expect(try key(#"{"key_template":"users/{sub}/a"}"#, ["sub": value]) == "AccessDenied")
        #expect(try key(#"{"key_template":"users/{sub}/a"}"#, ["org": value]) == "AccessDenied")
    }

    @Test("A value is put in once, and no value is a template")
    func once() throws {
        #expect(try key(#"{"key_template":"{sub}/{org}"}"#, ["sub": "{org}", "org": "x"]) == "AccessDenied")
    }

    @Test(
        "What can't be understood is said so",
        arguments: [
            #"{"key_template":"a{"}"#, #"{"key_template":"a}"}"#, #"{"key_template":"{}"}"#,
            #"{"key_template":"{a b}"}"#, #"{"key_template":"{{sub}}"}"#, #"{"key":"a","key_template":"a"}"#, "{}",
        ]
    )
    func malformed(body: String) throws {
        #expect(try key(body, ["sub": "alice"]) == "InvalidArgument")
    }
}
