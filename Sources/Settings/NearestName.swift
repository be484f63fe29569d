/// The valid name that a mistyped one most likely stands for.
enum NearestName {
    /// The candidate with the fewest edits, if they are few for a word of that length; the first of equals. Else one that
    /// the name is the beginning of.
    static func find(for name: String, among candidates: some Sequence<String>) -> String? {
        let characters = Array(name.lowercased())
        let tolerated = max(1, (characters.count + 1) / 3)
        var best: (name: String, edits: Int)?
        for candidate in candidates {
            let edits = distance(characters, Array(candidate.lowercased()))
            if edits <= tolerated, edits < (best?.edits ?? .max) { best = (candidate, edits) }
        }
        if let best { return best.name }
        // `principal` for `principal_name`.
        return candidates.first { characters.count >= 4 && $0.hasPrefix(name.lowercased() + "_") }
    }

    /// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment). Long names are cut to
    /// 64 characters, which bounds the work.
    static func distance(_ left: [Character], _ right: [Character]) -> Int {
        let left = Array(left.prefix(64))
        let right = Array(right.prefix(64))
        guard !left.isEmpty else { return right.count }
        guard !right.isEmpty else { return left.count }
        var older: [Int] = []
        var previous = Array(0...right.count)
        for (i, character) in left.enumerated() {
            var row = [i + 1]
            for (j, other) in right.enumerated() {
                var edits = min(previous[j + 1] + 1, row[j] + 1, previous[j] + (character == other ? 0 : 1))
                if i > 0, j > 0, character == right[j - 1], left[i - 1] == other {
                    edits = min(edits, older[j - 1] + 1)
                }
                row.append(edits)
            }
            older = previous
            previous = row
        }
        return previous[right.count]
    }
}
