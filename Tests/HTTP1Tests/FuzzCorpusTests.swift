import Foundation
import Testing

/// The fuzzer's corpus, and with it every input that ever broke an invariant, replayed.
struct FuzzCorpusTests {
    static let inputs: [String] = {
        let names = try? FileManager.default.contentsOfDirectory(atPath: folder)
        return (names ?? []).sorted()
    }()

    private static let folder = #filePath.replacing("FuzzCorpusTests.swift", with: "../../Fuzz/corpus")

    @Test func theCorpusIsThereAndSmall() {
        #expect((50...100).contains(FuzzCorpusTests.inputs.count))
    }

    @Test(arguments: inputs)
    func noInvariantBreaks(_ name: String) throws {
        let data = try #require(FileManager.default.contents(atPath: "\(FuzzCorpusTests.folder)/\(name)"))
        #expect(data.count <= 4096)
        #expect(brokenInvariant(of: Array(data)) == nil)
    }
}
