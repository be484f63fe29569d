import Admission
import Testing

@Suite("The paths and templates of routes")
struct RoutePatternTests {
    @Test("Segments are literals, {x} and, at the end, {x*}")
    func segments() throws {
        let pattern = try RoutePattern("/api/files/{id}/{rest*}")
        #expect(
            pattern.segments == [.literal(Array("api".utf8)), .literal(Array("files".utf8)), .one("id"), .rest("rest")]
        )
        #expect(pattern.names == ["id", "rest"])
    }

    @Test(
        "What no path can match, or more than one way, is refused",
        arguments: [
            ("api", RoutePatternError.noSlash), ("", .noSlash), ("/", .emptySegment), ("/api/", .emptySegment),
            ("/api//x", .emptySegment), ("/api/../x", .dotSegment), ("/./x", .dotSegment),
            ("/a b", .notInAPath("a b")), ("/ä", .notInAPath("ä")), ("/a?b", .notInAPath("a?b")),
            ("/a#b", .notInAPath("a#b")), ("/a%2", .notInAPath("a%2")), ("/a%zz", .notInAPath("a%zz")),
            ("/{id}.jpg", .braces("{id}.jpg")), ("/x{id}", .braces("x{id}")), ("/{}", .braces("{}")),
            ("/{*}", .braces("{*}")), ("/{a.b}", .braces("{a.b}")), ("/{a", .braces("{a")), ("/a}", .braces("a}")),
            ("/{rest*}/x", .restBeforeTheEnd), ("/{x}/{x}", .repeatedName("x")), ("/-/x", .reserved),
        ]
    )
    func refused(source: String, error: RoutePatternError) {
        #expect(throws: error) { _ = try RoutePattern(source) }
    }

    @Test("Names of segments make no difference to what is matched")
    func shapes() throws {
        #expect(try RoutePattern("/a/{x}").shape == RoutePattern("/a/{y}").shape)
        #expect(try RoutePattern("/a/{x}").shape != RoutePattern("/a/{x*}").shape)
        #expect(try RoutePattern("/a/{x}").shape != RoutePattern("/a/x").shape)
    }

    @Test("A bare name is what it can only be; prefixes say which")
    func names() throws {
        let parameters = ["id": Array("7".utf8), "sub": Array("path".utf8)]
        let claims = ["sub": "alice", "team": "red"]
        func resolved(_ source: String, _ names: [String]) throws -> String {
            let template = try RouteTemplate(source, parameters: names)
            return String(decoding: try template.resolved(parameters: parameters, claims: claims), as: UTF8.self)
        }
        #expect(try resolved("{sub}-{id}", ["id"]) == "alice-7")
        #expect(try resolved("{path.sub}-{claims.sub}", ["sub"]) == "path-alice")
        #expect(try resolved("{claims.team}", []) == "red")
        #expect(throws: RouteTemplateError.ambiguous("sub")) { try resolved("{sub}", ["sub"]) }
        #expect(throws: RouteTemplateError.unknown("team")) { try resolved("{team}", ["id"]) }
        #expect(throws: RouteTemplateError.unknown("path.di")) { try resolved("{path.di}", ["id"]) }
        #expect(throws: RouteTemplateError.unknown("claims.")) { try resolved("{claims.}", ["id"]) }
    }

    @Test(
        "A claim is put in by the rules of all templates",
        arguments: ["", ".", "..", "a/b", "*", "{id}", "a\u{0}", "a\\b"]
    )
    func claims(value: String) throws {
        let template = try RouteTemplate("x{sub}", parameters: [])
        #expect(throws: TemplateValueRefusal.unusable("sub")) {
            _ = try template.resolved(parameters: [:], claims: ["sub": value])
        }
        #expect(throws: TemplateValueRefusal.missing("sub")) { _ = try template.resolved(parameters: [:], claims: [:]) }
    }
}
