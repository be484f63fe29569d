import Testing
import WireFormats

@Suite("A media type is read strictly")
struct MediaTypeTests {
    @Test("Types, subtypes and parameters' names have no case; values are what they say, quoted or not")
    func read() throws {
        let type = try MediaType("Text/HTML ; Charset=UTF-8;x=\"a\\\"b\"")
        #expect(type.type == "text" && type.subtype == "html")
        #expect(type.parameters.map(\.name) == ["charset", "x"])
        #expect(type.parameters.map(\.value) == ["UTF-8", "a\"b"])
        #expect(try MediaType("text/plain;charset=\"utf-8\"") == MediaType("TEXT/plain; CHARSET=utf-8;"))
        #expect(try MediaType("text/plain;charset=utf-8") != MediaType("text/plain"))
        #expect(try MediaType("image/svg+xml").subtype == "svg+xml")
        #expect(try MediaType("video/mp4; codecs=\"avc1.42E01E, mp4a.40.2\"").parameters.count == 1)
        #expect(try MediaType("a/b;x=\"\"").parameters.map(\.value) == [""])
    }

    @Test(
        "What a browser would take for another type has a comma, and is none",
        arguments: [
            "image/png,text/html", "image/png, text/html", "image/png;x=,text/html", "image/png;,text/html",
            "image/png;x=y,text/html", "image/png;x=\"y\",text/html", ",text/html", "image/,text/html",
            "image/png ,text/html", "image/png;x=';y=\"a',text/html;z=b\"", "image/png;x=\"\\\",text/html\"",
        ]
    )
    func comma(text: String) {
        #expect(throws: MediaType.Problem.comma) { try MediaType(text) }
    }

    @Test(
        "Anything ill-formed is none, and what is wrong with it is said",
        arguments: [
            ("", .notTypeAndSubtype), ("image", .notTypeAndSubtype), ("image/", .notTypeAndSubtype),
            ("/png", .notTypeAndSubtype), ("image/a/b", .notTypeAndSubtype), ("image / png", .notTypeAndSubtype),
            (" image/png", .notTypeAndSubtype), ("image/png x", .notTypeAndSubtype), ("*/*", .notTypeAndSubtype),
            ("image/*", .notTypeAndSubtype), ("image/p(ng", .notTypeAndSubtype), ("image/png ", .trailingSpace),
            ("image/png; ", .trailingSpace), ("image/png;x", .malformedParameter),
            ("image/png;x=", .malformedParameter),
            ("image/png;=y", .malformedParameter), ("image/png;x =y", .malformedParameter),
            ("image/png;x= y", .malformedParameter), ("image/png;x=\"y", .malformedParameter),
            ("image/png;x=\"y\\", .malformedParameter), ("image/png;x=\"y\"z", .malformedParameter),
            ("image/png;x=y z", .malformedParameter), ("image/png;x=a/b", .malformedParameter),
            ("image/png;x=1;X=2", .repeatedParameter("x")), ("image/png\r\nset-cookie: a=b", .unprintable),
            ("image/p\u{e4}g", .unprintable), ("image/png;x=\t", .unprintable),
            ("image/" + String(repeating: "p", count: 250), .tooLong),
        ] as [(String, MediaType.Problem)]
    )
    func malformed(text: String, problem: MediaType.Problem) {
        #expect(throws: problem) { try MediaType(text) }
    }
}
