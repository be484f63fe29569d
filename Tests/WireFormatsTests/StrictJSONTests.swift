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

    @Test("A long name above many elements is read once, and not shown whole", .timeLimit(.minutes(10)))
    func longNames() throws {
        let name = String(repeating: "n", count: 300_000)
        let elements = String(repeating: "1,", count: 200_000)
        let text = #"{"\#(name)": [\#(elements)1]}"#
        guard case .object(let members) = try StrictJSON(parsing: Array(text.utf8)) else {
            Issue.record("not an object")
            return
        }
        #expect(members.count == 1)
        do {
            _ = try StrictJSON(parsing: Array(#"{"\#(name)": x}"#.utf8))
            Issue.record("accepted")
        } catch {
            #expect(error.path.utf8.count < 1000)
        }
    }
}
