import Testing
import WireFormats

@Suite struct StrictJSONTests {
    @Test(arguments: [
        #"{"b":[1,-2.5e3,true,null],"a":{"":"x"}}"#, "[]", "{}", #""é\"\\ \u0001""#,
        #"{"Statement":{"Effect":"Deny"}}"#,
    ])
    func whatIsReadIsWritten(_ text: String) throws {
        #expect(String(decoding: try StrictJSON(parsing: text.utf8).text, as: UTF8.self) == text)
    }

    @Test func spacesGoAndEscapesAreOfOneForm() throws {
        let text = " { \"a\" : \"\\u0041\\/\\n\" , \"b\" : [ ] } "
        #expect(String(decoding: try StrictJSON(parsing: text.utf8).text, as: UTF8.self) == #"{"a":"A/\u000a","b":[]}"#)
    }

    @Test(arguments: [
        "", "{", "[1,]", #"{"a":1,"a":2}"#, #"{"a":1,"\u0061":2}"#, "01", "1 2", "'a'", "\"\u{1}\"", #""\ud800""#,
        "tru",
        String(repeating: "[", count: 17) + String(repeating: "]", count: 17),
    ])
    func whatReadersDisagreeAboutIsRefused(_ text: String) {
        #expect(throws: StrictJSONError.self) { try StrictJSON(parsing: text.utf8) }
    }

    @Test func errorsSayWhere() {
        #expect(throws: StrictJSONError.self) { try StrictJSON(parsing: "{\"a\":[{\"b\":x}]}".utf8) }
        do {
            _ = try StrictJSON(parsing: "{\"a\":[{\"b\":x}]}".utf8)
        } catch {
            #expect(error.path == "$.a[0].b")
        }
    }
}
