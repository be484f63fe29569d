import Testing
import WireFormats

@Suite struct QueryTests {
    private func item(_ name: String, _ value: String, hasEquals: Bool = true) -> Query.Item {
        Query.Item(name: Array(name.utf8), value: Array(value.utf8), hasEquals: hasEquals)
    }

    private func canonical(_ raw: String, excluding: StaticString? = nil) throws -> String {
        var bytes: [UInt8] = []
        try Query(parsing: raw.utf8).appendCanonical(to: &bytes, excluding: excluding)
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func itemsAreDecodedOnceAndKeepTheirOrder() throws {
        let query = try Query(parsing: "b=2&a=%252F&uploads&c=&b=x+y%2B&=v&d=1=2".utf8)
        #expect(
            query.items == [
                item("b", "2"), item("a", "%2F"), item("uploads", "", hasEquals: false), item("c", ""),
                item("b", "x y+"), item("", "v"), item("d", "1=2"),
            ]
        )
        #expect(query.count(of: "b") == 2)
        #expect(query.first("b") == Array("2".utf8))
        #expect(query.first("uploads") == [])
        #expect(query.first("nothing") == nil)
        #expect(query.contains("c") && !query.contains("C"))
    }

    @Test(arguments: ["", "&", "&&&"])
    func emptyPiecesAreNoItems(_ raw: String) throws {
        #expect(try Query(parsing: raw.utf8).isEmpty)
        #expect(try canonical(raw) == "")
    }

    @Test func namesCompareWithCase() throws {
        let query = try Query(parsing: "X-Amz-Signature=1".utf8)
        #expect(query.contains("X-Amz-Signature"))
        #expect(!query.contains("x-amz-signature"))
    }

    @Test(arguments: [
        ("b=2&a=1", "a=1&b=2"), ("uploads", "uploads="), ("a=2&a=1&a", "a=&a=1&a=2"), ("a=x+y", "a=x%20y"),
        ("a-b=1&a=2", "a=2&a-b=1"), ("B=1&b=2", "B=1&b=2"), ("k=%2f~*", "k=%2F~%2A"),
        ("\u{43a}=1&z=2", "%D0%BA=1&z=2"), ("a%3Db=c", "a%3Db=c"),
    ])
    func theCanonicalFormIsEncodedAndSorted(_ raw: String, _ expected: String) throws {
        #expect(try canonical(raw) == expected)
    }

    @Test func anExcludedNameIsLeftOut() throws {
        #expect(try canonical("a=1&X-Amz-Signature=2&z=3", excluding: "X-Amz-Signature") == "a=1&z=3")
        #expect(try canonical("X%2DAmz-Signature=2", excluding: "X-Amz-Signature") == "")
        #expect(try canonical("x-amz-signature=2", excluding: "X-Amz-Signature") == "x-amz-signature=2")
    }

    @Test func thereIsABound() throws {
        let most = Array(repeating: "a=1", count: Query.maxItems).joined(separator: "&")
        #expect(try Query(parsing: most.utf8).items.count == Query.maxItems)
        #expect(throws: PercentEncodingError.tooManyItems) { try Query(parsing: (most + "&b").utf8) }
    }

    @Test func aQueryCanBeBuilt() {
        var query = Query()
        query.append("na me".utf8, "a/b".utf8)
        query.append("a".utf8, "".utf8)
        var bytes: [UInt8] = []
        query.appendCanonical(to: &bytes)
        #expect(bytes == Array("a=&na%20me=a%2Fb".utf8))
    }
}
