import Pipeline
import S3API
import Testing

@Suite("strict_keys: one segment, wherever a key is named")
struct StrictKeyTests {
    private static func copy(from source: String) -> Call {
        Call("PUT", "/photos/copy").with("x-amz-copy-source", source).by(.root)
    }

    @Test(
        "A key of more than one segment is refused",
        arguments: [
            Call("GET", "/photos/a/b").by(.root), Call("GET", "/photos/a/").by(.root),
            Call("PUT", "/photos//a", length: 1).by(.root), Call("GET", "/photos/a%2Fb").by(.root),
            copy(from: "/photos/a/b"), copy(from: "photos/a%2Fb"), copy(from: "/photos/a/"),
            Call("PUT", "/photos/p?partNumber=1&uploadId=u").with("x-amz-copy-source", "/photos/a/b").by(.root),
        ]
    )
    func refused(call: Call) throws {
        var gate = Gate()
        #expect(try gate.decide(call).outcome == .allowed)
        gate.server = Gate.settings(keyRules: .oneSegment)
        try expect(400, .invalidArgument, try gate.decide(call))
    }

    @Test("A key of one segment is served", arguments: [Call("GET", "/photos/a").by(.root), copy(from: "/photos/a")])
    func served(call: Call) throws {
        var gate = Gate()
        gate.server = Gate.settings(keyRules: .oneSegment)
        #expect(try gate.decide(call).outcome == .allowed)
    }
}
