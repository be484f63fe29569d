import Settings
import TOMLKit
import Testing

@Suite struct KeyPositionsTests {
    static let corpus: [String] = [
        "",
        "# nothing but a comment [with] = signs",
        "a = 1",
        "a = 1\r\nb = 2\r\n",
        "\u{FEFF}a = 1",
        "a.b.c = 1\na.b.d = 2\na.e = 3",
        "a . b = 1\n\"c d\".'e.f' = 2",
        "\"\" = 1\n'#' = 2\n\"]\" = 3\n'=' = 4",
        "\"quo\\\"te\" = 1\n\"\\u00e9\\t\" = 2\n'back\\slash' = 3",
        "[a]\nb = 1\n[c.d]\ne = 2\n[c]\nf = 3",
        "[ a . \"b.c\" ] # comment\nd = 1",
        "[[a]]\nb = 1\n[[a]]\nb = 2\n[[a.c]]\nd = 3\n[[a.c]]\nd = 4\n[[a]]\n[[a.c]]\nd = 5",
        "[[a]]\n[a.b]\nc = 1\n[[a]]\n[a.b]\nc = 2\n[a.b.d]\ne = 3",
        "a = { b = 1, c.d = 2, \"e f\" = { g = 3 } }",
        "a = {}\nb = []\nc = [ ]\nd = { }",
        "a = [ { b = 1 }, { b = 2, c = [ { d = 1 } ] } ]",
        "a = [\n  1, # one ]\n  2,\n\n  [ 3,\n 4 ], # trailing comma follows\n]\nb = 5",
        "a = \"[not] = a # header\"\nb = '[[nor]] this'",
        "a = \"\"\"\n[x]\ny = 1\n# no comment\n\"\"\"\nb = 1",
        "a = '''\n[[x]]\ny = \"\"\"\n'''\nb = 1",
        "a = \"\"\"quotes \"\" inside\"\"\"\nb = \"\"\"ends in two\"\"\"\"\"\nc = '''and ''' \nd = 1",
        "a = \"\"\"escaped \\\"\"\" still inside\"\"\"\nb = 1",
        "a = \"\"\"line \\\n   continued\"\"\"\nb = 2",
        "a = \"escaped \\\" quote # and [this]\"\nb = 1",
        "a = 'literal \\'\nb = 1",
        "a = 2027-01-01T00:00:00Z\nb = 2027-01-01 07:32:00\nc = 07:32:00\nd = 2027-01-01",
        "a = +1.5e3\nb = inf\nc = 0xFF\nd = 1_000\ne = true",
        "a = [\"x,y\", 'z]', \"\"\"\nw\n\"\"\"]\nb = 1",
        "1 = 2\n-_- = 3\n3.14 = 4",
        "[a.b.c]\n[a]\nd = 1\n[a.b]\ne = 2",
        "a = [[1, 2], [{ b = 1 }], []]",
        "[[a.b]]\nc = 1\n[[a.b]]\nc.d = 2",
    ]

    @Test(arguments: corpus) func findsExactlyTheKeysThatTheParserFinds(document: String) throws {
        let positions = KeyPositions(scanning: Array(document.utf8))
        let expected = Set(Self.paths(of: try TOMLTable(string: document)))
        #expect(Set(positions.lines.keys) == expected)
        let last = document.utf8.count { $0 == UInt8(ascii: "\n") } + 1
        #expect(positions.lines.values.allSatisfy { (1...last).contains($0) })
    }

    @Test(arguments: corpus) func anyPieceOfADocumentIsScannedAndLinesLieInsideOfIt(document: String) {
        let bytes = Array(document.utf8)
        for end in 0...bytes.count {
            for piece in [bytes[..<end], bytes[end...]] {
                let positions = KeyPositions(scanning: piece)
                let inside = 1...piece.count { $0 == UInt8(ascii: "\n") } + 1
                #expect(positions.lines.values.allSatisfy(inside.contains), "\(end)")
                #expect(positions.linesWithNUL.allSatisfy(inside.contains), "\(end)")
            }
        }
    }

    @Test func saysTheLineOfEveryKindOfKey() {
        let document = """
            # a comment
            top = 1
            text = \"""
            [not.a.header]
            \"""

            [server] # [nor.this]
            listen = "x"
            a.b.c = 1
            [[buckets]]
            name = "one"
            [buckets.backend_options]
            endpoint = "x"
            [[buckets]]
            inline = { x = 1, y = [
              "e",
              { z = 2 },
            ] }
            "quoted key" = 1
            """
        let lines = KeyPositions(scanning: Array(document.utf8)).lines
        let found = Dictionary(uniqueKeysWithValues: lines.map { ($0.key.description, $0.value) })
        #expect(
            found == [
                "top": 2, "text": 3, "server": 7, "server.listen": 8, "server.a": 9, "server.a.b": 9,
                "server.a.b.c": 9, "buckets": 10, "buckets[0]": 10, "buckets[0].name": 11,
                "buckets[0].backend_options": 12, "buckets[0].backend_options.endpoint": 13, "buckets[1]": 14,
                "buckets[1].inline": 15, "buckets[1].inline.x": 15, "buckets[1].inline.y": 15,
                "buckets[1].inline.y[0]": 16, "buckets[1].inline.y[1]": 17, "buckets[1].inline.y[1].z": 17,
                "buckets[1].\"quoted key\"": 19,
            ]
        )
    }

    @Test func deepNestingEndsTheScanAndNotTheProcess() {
        _ = KeyPositions(scanning: Array(("a = " + String(repeating: "[", count: 100_000)).utf8))
        _ = KeyPositions(scanning: Array(("a = " + String(repeating: "{a=", count: 100_000)).utf8))
    }

    @Test(arguments: [#"a = "x\u0000y""#, #""k\U00000000" = 1"#, "b = 1\na = \"\"\"\n\\u0000\"\"\""])
    func seesEscapedNUL(document: String) {
        #expect(!KeyPositions(scanning: Array(document.utf8)).linesWithNUL.isEmpty)
    }

    /// Every key and element of the parser's tree.
    private static func paths(of value: any TOMLValueConvertible, at path: KeyPath = .root) -> [KeyPath] {
        if let table = value.table {
            return table.keys.flatMap { key -> [KeyPath] in
                guard let inner = table[key] else { return [] }
                return [path.appending(key)] + paths(of: inner, at: path.appending(key))
            }
        }
        if let array = value.array {
            return array.enumerated().flatMap { index, inner in
                [path.appending(index)] + paths(of: inner, at: path.appending(index))
            }
        }
        return []
    }
}
