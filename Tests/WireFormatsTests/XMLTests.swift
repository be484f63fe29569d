import Testing
import WireFormats

@Suite struct XMLWriterTests {
    @Test func aDocumentIsWritten() {
        var xml = XMLWriter()
        xml.open("ListBucketResult", xmlns: "http://s3.amazonaws.com/doc/2006-03-01/")
        xml.element("Name", "a&b")
        xml.element("MaxKeys", 1000)
        xml.element("IsTruncated", false)
        xml.close("ListBucketResult")
        #expect(
            String(decoding: xml.bytes, as: UTF8.self) == """
                <?xml version="1.0" encoding="UTF-8"?>
                <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>a&amp;b</Name>\
                <MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated></ListBucketResult>
                """
        )
    }

    @Test(arguments: [
        "plain", "<>&\"'", "a\r\nb", "\t lead and trail \n", "]]>", "<!DOCTYPE x>", "ü鍵😀", "&amp;", "&#13;", "e\u{301}",
    ])
    func whatIsWrittenIsReadBack(_ value: String) throws {
        var xml = XMLWriter()
        xml.open("Root")
        xml.element("Key", value)
        xml.close("Root")
        let key = try #require(try XMLReader.parse(xml.bytes).child("Key"))
        #expect(Array(key.text.utf8) == Array(value.utf8))
    }

    @Test func whatXMLCannotHoldIsReplaced() throws {
        var xml = XMLWriter()
        xml.element("Key", [UInt8(ascii: "a"), 0, 1, 0x1f, UInt8(ascii: "b")])
        #expect(try XMLReader.parse(xml.bytes).text == "a\u{FFFD}\u{FFFD}\u{FFFD}b")
    }
}

@Suite struct XMLReaderTests {
    private func parse(_ text: String) throws -> XMLNode { try XMLReader.parse(Array(text.utf8)) }

    @Test func elementsTextsAndAttributesAreRead() throws {
        let root = try parse(
            """
            <?xml version='1.0' encoding='utf-8'?><!-- c --><s3:Delete xmlns:s3="urn:x" a="1">
            <Object><Key> k&amp;1 </Key></Object><Object><Key><![CDATA[<2>]]>!</Key></Object><Quiet/></s3:Delete>
            """
        )
        #expect(root.name == "Delete")
        #expect(root.attributes["a"] == "1")
        #expect(root.children(named: "Object").map { $0.child("Key")?.text } == [" k&1 ", "<2>!"])
        #expect(root.child("Quiet")?.text == "")
        #expect(root.child("Nothing") == nil)
    }

    @Test(arguments: [
        "", " ", "text", "<a>", "<a></b>", "<a/><b/>", "<a/>text", "<a/></a>", "text<a/>", "<a>&unknown;</a>",
        "<a>&#0;</a>", "<a b=1/>", "<a><b></a></b>",
        "<a",
        "<a>\u{0}</a>", "<?xml version=\"1.0\" encoding=\"UTF-16\"?><a/>",
        "<?xml version=\"1.0\" encoding=\"UTF-7\"?><a/>", "<a><![CDATA[</a>", "<a><!-- </a>",
    ])
    func malformedDocumentsAreRefused(_ text: String) {
        #expect(throws: XMLReaderError.malformed) { try parse(text) }
    }

    @Test func bytesThatAreNotUTF8AreRefused() {
        #expect(throws: XMLReaderError.malformed) {
            try XMLReader.parse([0x3c, 0x61, 0x3e, 0xff, 0x3c, 0x2f, 0x61, 0x3e])
        }
        let wide = Array("<a/>".utf8).flatMap { byte -> [UInt8] in [0, byte] }
        #expect(throws: XMLReaderError.malformed) { try XMLReader.parse([0xfe, 0xff] + wide) }
    }

    @Test(arguments: [
        "<!DOCTYPE a><a/>", "<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>",
        "<?xml version=\"1.0\"?>\n<!DOCTYPE a SYSTEM 'http://127.0.0.1/x.dtd'><a/>", "<a><!ENTITY x 'y'></a>",
        "<!-- --><!DOCTYPE a><a/>",
        "<!DOCTYPE l [<!ENTITY a 'ha'><!ENTITY b '&a;&a;'><!ENTITY c '&b;&b;'>]><l>&c;</l>",
    ])
    func documentTypesAreRefusedUnread(_ text: String) {
        #expect(throws: XMLReaderError.documentType) { try parse(text) }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "<a>", count: depth) + String(repeating: "</a>", count: depth)
        }
        #expect(throws: Never.self) { try parse(nested(16)) }
        #expect(throws: XMLReaderError.tooDeep) { try parse(nested(17)) }
        #expect(throws: XMLReaderError.tooDeep) { try parse(nested(100_000)) }
    }

    @Test(
        "Instructions to programs are none to us",
        arguments: ["<?a?>", "<?a b?>", "<?a <b> ?>", "<?a ??>", "<?a\n?>"]
    )
    func instructionsArePassedOver(_ text: String) throws {
        #expect(try parse("<?xml version=\"1.0\"?>\(text)<a>b\(text)c</a>\(text)").text == "bc")
    }

    @Test(arguments: [
        "<a><?xml version=\"1.0\"?></a>", "<a><?XML b?></a>", "<a><??></a>", "<a><? b?></a>", "<a><?b</a>",
        "<a><?b></a>", " <?xml version=\"1.0\"?><a/>", "<?xml?><a/>", "<?xml encoding=\"UTF-8\"?><a/>",
        "<?xml version=\"2.0\"?><a/>", "<?xml version=\"1.0\" a=\"b\"?><a/>", "<a b=\"1\" b=\"2\"/>",
        "<a b=\"1\"c=\"2\"/>", "<a b=\"<\"/>", "<a b='\"/>", "<a b/>", "<a 'x'/>", "<a/ >", "< a/>", "<a></ a>",
        "<a>]]></a>", "<a><!-- a -- b --></a>", "<a><!-- a ---></a>", "<![CDATA[ ]]><a/>", "<a/><![CDATA[ ]]>",
        "<a>&lt</a>", "<a>&;</a>", "<a>&#;</a>", "<a>&#x;</a>", "<a>&#xD800;</a>", "<a>&#x110000;</a>",
        "<a>&#+65;</a>", "<a>&#-1;</a>", "<a>&#X41;</a>", "<a>&#xFFFE;</a>", "<a>&LT;</a>", "<a>&", "<a>&#",
        "<a>\u{1}</a>", "<a b=\"\u{1}\"/>", "<a><!--\u{1}--></a>", "<a>\u{FFFF}</a>", "</a>", "<1/>", "<-a/>", "<",
        "<!", "<a><", "\u{FEFF}\u{FEFF}<a/>", "<a:b></b>",
    ])
    func nothingIsMendedThatIsNotWellFormed(_ text: String) {
        #expect(throws: XMLReaderError.self) { try parse(text) }
    }

    @Test func lineEndsAndWhiteSpaceOfAttributesAreNormalized() throws {
        let root = try parse(
            "\u{FEFF}<?xml version='1.0'?><a b='1\r\n2\t3\r4&#10;'>x\r\ny\rz&#13;<![CDATA[\r\n]]></a >"
        )
        #expect(root.attributes["b"] == "1 2 3 4\n")
        #expect(root.text == "x\ny\nz\r\n")
    }

    @Test func attributesAreBounded() throws {
        func many(_ count: Int) -> String { "<a " + (0..<count).map { "a\($0)=''" }.joined(separator: " ") + "/>" }
        #expect(try parse(many(100)).attributes.count == 100)
        #expect(throws: XMLReaderError.malformed) { try parse(many(101)) }
        // A reader that compares each with all before it takes minutes, and nobody else is served meanwhile.
        #expect(throws: XMLReaderError.malformed) { try parse(many(200_000)) }
    }

    /// Two thousand documents put together from pieces of markup, and as many that are real ones with bytes changed: each
    /// is read or refused, and what is read can be written and read again.
    @Test func mutatedDocumentsAreReadOrRefused() throws {
        var dice = Dice()
        let pieces = [
            "<", ">", "/>", "</", "<a", "<a>", "</a>", "<b c=\"d\">", "<b c='", "\"", "'", "=", " ", "<?", "?>",
            "<?a?>", "<?a b?>", "<!--", "-->", "--", "<![CDATA[", "]]>", "<!", "&", ";", "&amp;", "&#65;", "&#",
            "a", ":", "\r\n", "\u{0}", "ü", "\u{FEFF}", "<?xml version=\"1.0\"?>",
        ]
        let real = Array(
            """
            <?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Object><Key>a&amp;b\
            </Key></Object><!-- c --><Object><Key><![CDATA[<d>]]></Key><VersionId>1</VersionId></Object></Delete>
            """.utf8
        )
        var read = 0
        for turn in 0..<4000 {
            var bytes: [UInt8]
            if turn.isMultiple(of: 2) {
                bytes = Array("<a>".utf8)
                for _ in 0..<Int.random(in: 1...12, using: &dice) {
                    bytes += pieces[Int.random(in: pieces.indices, using: &dice)].utf8
                }
                bytes += "</a>".utf8
            } else {
                bytes = real
                for _ in 0..<Int.random(in: 1...3, using: &dice) {
                    let place = Int.random(in: 0..<bytes.count, using: &dice)
                    switch Int.random(in: 0..<4, using: &dice) {
                    case 0: bytes[place] = UInt8.random(in: 0...255, using: &dice)
                    case 1: bytes.removeSubrange(place..<min(bytes.count, place + 4))
                    case 2:
                        let piece = pieces[Int.random(in: pieces.indices, using: &dice)]
                        bytes.insert(contentsOf: piece.utf8, at: place)
                    default: bytes.removeLast(bytes.count - max(1, place))
                    }
                }
            }
            guard let root = try? XMLReader.parse(bytes) else { continue }
            read += 1
            var writer = XMLWriter()
            Self.write(root, &writer)
            let again = try XMLReader.parse(writer.bytes)
            #expect(Self.isSame(root, again), "\(String(decoding: bytes, as: UTF8.self))")
        }
        #expect(read > 200)
    }

    private static func write(_ node: XMLNode, _ writer: inout XMLWriter) {
        writer.open("N")
        writer.element("Name", node.name)
        writer.element("Text", node.text)
        for child in node.children { write(child, &writer) }
        writer.close("N")
    }

    private static func isSame(_ node: XMLNode, _ written: XMLNode) -> Bool {
        let children = written.children.filter { $0.name == "N" }
        return written.child("Name")?.text == node.name && written.child("Text")?.text == node.text
            && children.count == node.children.count && zip(node.children, children).allSatisfy { isSame($0, $1) }
    }

    @Test func elementsAreBounded() throws {
        func wide(_ count: Int) -> [UInt8] { Array(("<a>" + String(repeating: "<b/>", count: count) + "</a>").utf8) }
        #expect(try XMLReader.parse(wide(9), maxElements: 10).children.count == 9)
        #expect(throws: XMLReaderError.tooManyElements) { try XMLReader.parse(wide(10), maxElements: 10) }
    }
}

/// The same throws on every machine.
private struct Dice: RandomNumberGenerator {
    private var state: UInt64 = 20_261_129

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return state ^ state >> 32
    }
}

@Suite struct ForbiddenCharacterTests {
    @Test(arguments: [
        "\u{01}", "\u{1B}", "\0", "&#1;", "&#x1;", "&#x1F;", "&#0;", "&#31;", "&#xfffe;", "\u{FFFE}", "\u{FFFF}",
    ])
    func oneNameThatXMLCannotHoldDoesNotHideTheOthers(_ text: String) throws {
        let document = Array("<L><Key>a\(text)b</Key><Key>c</Key></L>".utf8)
        #expect(throws: XMLReaderError.malformed) { try XMLReader.parse(document) }
        let root = try XMLReader.parse(document, forbidden: .replaced)
        #expect(root.children.map(\.text) == ["a\u{FFFD}b", "c"])
    }

    @Test(arguments: ["&#9;", "&#10;", "&#xD;", "&amp;", "&#x20;", "\u{FFFD}", "\u{F900}", "\u{7F}", "\t", "&#65;"])
    func whatXMLCanHoldIsLeftAlone(_ text: String) throws {
        let document = Array("<L><Key>a\(text)b</Key></L>".utf8)
        #expect(
            try XMLReader.parse(document, forbidden: .replaced).child("Key")?.text
                == XMLReader.parse(document).child("Key")?.text
        )
    }

    @Test(arguments: ["&#", "&#;", "&#x;", "&#x1", "&#99999999999;", "&#x1F1F1F1F1F;", "&"])
    func whatIsNoReferenceStaysMalformed(_ text: String) {
        #expect(throws: XMLReaderError.malformed) {
            try XMLReader.parse(Array("<L>\(text)</L>".utf8), forbidden: .replaced)
        }
    }
}
