/// Finds the case of a closed list by its name on the wire, without allocating: names are grouped by length.
struct WireNames<Case: RawRepresentable<String> & CaseIterable & Sendable>: Sendable {
    enum Matching: Sendable {
        /// Byte by byte.
        case exact
        /// Letters of either case; the list's own names are in lower case.
        case ignoringCase
    }

    /// All names, one after the other.
    private let text: [UInt8]
    /// Where each name begins in `text`, ordered by the names' lengths.
    private let candidates: [(start: Int, element: Case)]
    /// For each length, where its candidates begin; one more for where the last ones end.
    private let firstOfLength: [Int]
    private let matching: Matching

    init(_ matching: Matching) {
        self.matching = matching
        var text: [UInt8] = []
        var candidates: [(start: Int, element: Case)] = []
        var firstOfLength: [Int] = []
        let longest = Case.allCases.map(\.rawValue.utf8.count).max() ?? 0
        for length in 0...longest {
            firstOfLength.append(candidates.count)
            for element in Case.allCases where element.rawValue.utf8.count == length {
                candidates.append((text.count, element))
                text.append(contentsOf: element.rawValue.utf8)
            }
        }
        self.text = text
        self.candidates = candidates
        self.firstOfLength = firstOfLength + [candidates.count]
    }

    func find(_ name: ArraySlice<UInt8>) -> Case? {
        let length = name.count
        guard length + 1 < firstOfLength.count else { return nil }
        let places = firstOfLength[length]..<firstOfLength[length + 1]
        guard !places.isEmpty else { return nil }
        return name.withUnsafeBufferPointer { name in
            text.withUnsafeBufferPointer { text in
                for place in places where matches(name, UnsafeBufferPointer(rebasing: text[candidates[place].start...]))
                {
                    return candidates[place].element
                }
                return nil
            }
        }
    }

    /// From the end, because many names begin alike. `wanted` goes on behind the name in question.
    private func matches(_ name: UnsafeBufferPointer<UInt8>, _ wanted: UnsafeBufferPointer<UInt8>) -> Bool {
        var place = name.count
        while place > 0 {
            place -= 1
            var found = name[place]
            if matching == .ignoringCase, found &- 0x41 < 26 { found |= 0x20 }
            guard found == wanted[place] else { return false }
        }
        return true
    }
}
