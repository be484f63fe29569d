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

    /// What is looked at, in bytes and words, for one comparison.
    private func steps(_ pattern: String, _ text: String) throws -> Int {
        let compiled = try PolicyPattern(pattern, wildcards: .starAndQuestionMark, at: "$")
        var steps = 0
        _ = compiled.matches(Array(text.utf8), counting: &steps) { _ in nil }
        return steps
    }

    @Test(
        "A pattern made to be slow holds nobody up: it costs its text and itself, not their product",
        arguments: [
            "*" + String(repeating: "a", count: 511) + "b", String(repeating: "a*", count: 500) + "b",
            String(repeating: "*" + String(repeating: "a", count: 511) + "b", count: 3),
            "*" + String(repeating: "a", count: 500) + "b*", String(repeating: "ab", count: 250) + "*" + "ac*",
            "*" + String(repeating: "ab", count: 250) + "c*", String(repeating: "*a", count: 500) + "*b*",
        ]
    )
    func slowPatterns(_ pattern: String) throws {
        for text in [String(repeating: "a", count: 1024), String(repeating: "ab", count: 512)] {
            #expect(try steps(pattern, text) <= 4 * (pattern.utf8.count + text.utf8.count))
        }
    }

    @Test(
        "Question marks between stars cost a word for each 64 of them",
        arguments: [1, 63, 64, 65, 511],
        ["a", "?", "a?", "\u{e9}?"]
    )
    func slowQuestionMarks(_ count: Int, _ unit: String) throws {
        let pattern = "*?" + String(repeating: unit, count: count) + "b*"
        let words = pattern.utf8.count / 64 + 1
        for text in [String(repeating: "a", count: 1024), String(repeating: "\u{e9}a", count: 341)] {
            #expect(try steps(pattern, text) <= (words + 8) * (pattern.utf8.count + text.utf8.count))
        }
    }

    @Test(arguments: 0..<4)
    func longPatternsAgreeWithTheDefinition(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let letters = ["a", "b", "\u{e9}"]
        for _ in 0..<200 {
            // A text, and a pattern made of it by replacing and leaving out, longer than a word.
            let text = (0..<Int.random(in: 60...200, using: &random)).map { _ in
                letters[Int.random(in: 0..<3, using: &random)]
            }
            let start = Int.random(in: 0..<text.count / 3, using: &random)
            var middle = text[start..<Int.random(in: (start + 1)...text.count, using: &random)].map { letter in
                Int.random(in: 0..<4, using: &random) == 0 ? "?" : letter
            }
            var expected = Match.yes
            if Bool.random(using: &random) {
                middle.append("c")
                expected = .no
            }
            let compiled = try PolicyPattern(
                "*" + middle.joined() + "*",
                wildcards: .starAndQuestionMark,
                at: "$"
            )
            #expect(compiled.matches(Array(text.joined().utf8), { _ in nil }) == expected)
        }
    }

    private typealias Match = PolicyPattern.Match
}
