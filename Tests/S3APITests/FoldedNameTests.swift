import S3API
import Testing

@Suite struct FoldedNameTests {
    @Test(arguments: [
        ("a/b", "a/b"), ("a\\b", "a/b"), ("a//b", "a/b"), ("/a", "a"), ("//a", "a"), ("\\a", "a"), ("a/\\/b", "a/b"),
        ("a/", "a/"), ("a\\", "a/"), ("a//", "a/"), ("/", ""), ("\\/", ""), ("", ""), ("a.b", "a.b"),
    ])
    func slashesOfAllKindsAreOne(_ name: String, _ folded: String) {
        let bytes = Array(name.utf8)
        #expect(FoldedName(bytes).bytes == Array(folded.utf8))
        #expect(FoldedName.isFolded(bytes) == (name == folded))
        #expect(FoldedName.isFolded(FoldedName(bytes).bytes))
        #expect(FoldedName(Array("a/".utf8)).begins(bytes) == folded.hasPrefix("a/"))
    }

    @Test(arguments: ["a\\..\\b", "..\\a", "a\\..", "a/..\\b", "a\\./b", "a\\."])
    func dotsBetweenBackslashesAreASegment(_ key: String) {
        #expect { try ObjectKey(validating: Array(key.utf8)) } throws: { ($0 as? S3Error)?.code == .invalidURI }
    }

    @Test(arguments: ["a\\b", "a\\...\\b", "a\\.b", "\\", "C:\\x"])
    func otherBackslashesAreBytesOfTheKey(_ key: String) throws {
        #expect(try ObjectKey(validating: Array(key.utf8)).string == key)
    }
}
