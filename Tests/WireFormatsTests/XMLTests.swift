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

    @Test func elementsAreBounded() throws {
        func wide(_ count: Int) -> [UInt8] { Array(("<a>" + String(repeating: "<b/>", count: count) + "</a>").utf8) }
        #expect(try XMLReader.parse(wide(9), maxElements: 10).children.count == 9)
        #expect(throws: XMLReaderError.tooManyElements) { try XMLReader.parse(wide(10), maxElements: 10) }
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
