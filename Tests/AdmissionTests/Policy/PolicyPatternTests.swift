import Testing

@testable import Admission

/// The meaning of a pattern by its definition, with all the recursion that takes.
private func naiveMatch(_ pattern: [Character], _ text: [Character]) -> Bool {
    guard let first = pattern.first else { return text.isEmpty }
    let rest = Array(pattern.dropFirst())
    if first == "*" { return (0...text.count).contains { naiveMatch(rest, Array(text.dropFirst($0))) } }
    guard let next = text.first, first == "?" || first == next else { return false }
    return naiveMatch(rest, Array(text.dropFirst()))
}

@Suite struct PolicyPatternTests {
    @Test(arguments: 0..<8)
    func agreesWithTheDefinition(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let letters: [Character] = ["a", "b", "\u{e9}", "/"]
        for _ in 0..<2000 {
            let text = (0..<Int.random(in: 0...7, using: &random)).map { _ in
                letters[Int.random(in: 0..<4, using: &random)]
            }
            let pattern = (0..<Int.random(in: 0...6, using: &random)).map { _ in
                (letters + ["*", "*", "?"])[Int.random(in: 0..<7, using: &random)]
            }
            let compiled = try PolicyPattern(String(pattern), wildcards: .starAndQuestionMark, at: "$")
            let expected = naiveMatch(pattern, text)
            #expect(
                (compiled.matches(Array(String(text).utf8), { _ in nil }) == .yes) == expected,
                "\(String(pattern)) on \(String(text))"
            )
        }
    }

    @Test func aHostilePatternCostsLittle() throws {
        let pattern = try PolicyPattern(
            String(repeating: "a*", count: 500) + "b",
            wildcards: .starAndQuestionMark,
            at: "$"
        )
        #expect(pattern.matches([UInt8](repeating: UInt8(ascii: "a"), count: 1024), { _ in nil }) == .no)
    }
}
