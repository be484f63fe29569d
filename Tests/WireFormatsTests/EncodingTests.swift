import Testing
import WireFormats

private let everyByte = (0...255).map { UInt8($0) }

@Suite struct HexTests {
    @Test func everyByteComesBack() {
        #expect(Hex.decode(Hex.encode(everyByte).utf8) == everyByte)
        #expect(Hex.encode([0x00, 0xaf, 0xff]) == "00afff")
        #expect(Hex.decode("00AFff".utf8) == [0x00, 0xaf, 0xff])
        #expect(Hex.decode("".utf8) == [])
    }

    @Test(arguments: ["0", "000", "0g", "g0", " 00", "00 ", "0x00", "-1", "@0", "`0", "/0", ":0", "G0"])
    func anythingElseIsNil(_ text: String) {
        #expect(Hex.decode(text.utf8) == nil)
    }
}

@Suite struct Base64Tests {
    /// RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
        ("foobar", "Zm9vYmFy"),
    ])
    func theVectorsOfTheRFC(_ plain: String, _ encoded: String) {
        #expect(Base64.encode(plain.utf8) == encoded)
        #expect(Base64.decode(encoded.utf8) == Array(plain.utf8))
        let bare = encoded.replacing("=", with: "")
        #expect(Base64URL.encode(plain.utf8) == bare)
        #expect(Base64URL.decode(bare.utf8) == Array(plain.utf8))
    }

    @Test func everyByteComesBack() {
        for count in 0...everyByte.count {
            let bytes = Array(everyByte.suffix(count))
            #expect(Base64.decode(Base64.encode(bytes).utf8) == bytes)
            #expect(Base64URL.decode(Base64URL.encode(bytes).utf8) == bytes)
        }
        #expect(Base64.encode([0xfb, 0xff]) == "+/8=")
        #expect(Base64URL.encode([0xfb, 0xff]) == "-_8")
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "=", "==", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Zg==Zg==", "-_8=", "Z=g=",
        "Zm=v",
    ])
    func anythingElseIsNil(_ text: String) {
        #expect(Base64.decode(text.utf8) == nil)
    }

    @Test(arguments: ["Z", "Zg==", "Zh", "+/8", "Zm 9", "Zm9vY", "Zm9="])
    func anythingElseIsNilInTheURLAlphabet(_ text: String) {
        #expect(Base64URL.decode(text.utf8) == nil)
    }
}

@Suite struct PercentEncodingTests {
    @Test func onlyUnreservedCharactersStay() {
        let encoded = String(decoding: PercentEncoding.encode(everyByte.prefix(128), keepSlash: .encode), as: UTF8.self)
        let stayed = encoded.replacing(#/%[0-9A-F]{2}/#, with: "")
        #expect(stayed == "-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~")
    }

    @Test func everyByteComesBack() throws {
        for slash in [PercentEncoding.Slash.keep, .encode] {
            #expect(try PercentEncoding.decode(PercentEncoding.encode(everyByte, keepSlash: slash)) == everyByte)
        }
        #expect(PercentEncoding.encode("a/b c+".utf8) == Array("a/b%20c%2B".utf8))
        #expect(PercentEncoding.encode("a/b".utf8, keepSlash: .encode) == Array("a%2Fb".utf8))
    }

    @Test func itDecodesOnceAndLeavesThePlus() throws {
        #expect(try PercentEncoding.decode("%252F+%2b%2B".utf8) == Array("%2F+++".utf8))
    }

    @Test(arguments: ["%", "%2", "a%", "%zz", "%2z", "%z2", "%%20", "% 2", "%+2", "%-1"])
    func aBrokenEscapeIsAnError(_ text: String) {
        #expect(throws: PercentEncodingError.malformedEscape) { try PercentEncoding.decode(text.utf8) }
        #expect(throws: PercentEncodingError.malformedEscape) { try Query(parsing: "a=\(text)".utf8) }
        #expect(throws: PercentEncodingError.malformedEscape) { try Query(parsing: "\(text)=a".utf8) }
    }
}
