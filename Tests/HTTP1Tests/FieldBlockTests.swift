import HTTP1
import Testing

struct FieldBlockTests {
    private let block: FieldBlock = {
        var block = FieldBlock()
        block.append("Host", "a")
        block.append("X-Amz-Meta-A", "1")
        block.append("x-amz-meta-a", "2")
        block.append(Array("X-Bytes".utf8), [0xFF])
        return block
    }()

    @Test func namesCompareWithoutCase() {
        #expect(block.string("host") == "a")
        #expect(block.string("x-amz-meta-a") == "1")
        #expect(block.count(of: "x-amz-meta-a") == 2)
        #expect(block.first("x-amz-meta") == nil)
        #expect(block.entries.filter { block.hasPrefix($0, "x-amz-") }.count == 2)
    }

    @Test func aRepeatedFieldIsNotSingle() throws {
        #expect(try block.single("host").map(Array.init) == Array("a".utf8))
        #expect(try block.single("absent") == nil)
        #expect(throws: RepeatedField.self) { try block.single("x-amz-meta-a") }
    }

    @Test func aValueThatIsNotUTF8IsNoString() {
        #expect(block.string("x-bytes") == nil)
        #expect(block.first("x-bytes").map(Array.init) == [0xFF])
    }
}
