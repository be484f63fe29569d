/// Finds the case of a closed list by its name on the wire, without allocating: names are grouped by length.
struct WireNames<Case: RawRepresentable<String> & CaseIterable & Sendable>: Sendable {
    enum Matching: Sendable {
        /// Byte by byte.
        case exact
        /// Letters of either case; the list's own names are in lower case.
        case ignoringCase
    }

    private let byLength: [[(name: [UInt8], element: Case)]]
    private let matching: Matching

    init(_ matching: Matching) {
        self.matching = matching
        let longest = Case.allCases.map(\.rawValue.utf8.count).max() ?? 0
        var table = [[(name: [UInt8], element: Case)]](repeating: [], count: longest + 1)
        for element in Case.allCases {
            table[element.rawValue.utf8.count].append((Array(element.rawValue.utf8), element))
        }
        byLength = table
    }

    func find(_ name: ArraySlice<UInt8>) -> Case? {
        guard name.count < byLength.count else { return nil }
        for candidate in byLength[name.count] where matches(name, candidate.name) { return candidate.element }
        return nil
    }

    private func matches(_ name: ArraySlice<UInt8>, _ wanted: [UInt8]) -> Bool {
        var place = name.startIndex
        for byte in wanted {
            var found = name[place]
            if matching == .ignoringCase, found &- 0x41 < 26 { found |= 0x20 }
            guard found == byte else { return false }
            place += 1
        }
        return true
    }
}
