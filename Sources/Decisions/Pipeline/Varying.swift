import HTTP1

/// The names in an answer's `Vary`, however many lines they came in.
struct Varying {
    private var names: [ArraySlice<UInt8>] = []

    mutating func add(_ value: ArraySlice<UInt8>) {
        names += value.split(separator: UInt8(ascii: ",")).map(trimmed)
    }

    /// One line of those and of `others`, each once; a star stays alone.
    func joined(with others: [String]) -> [UInt8] {
        if names.contains(where: { $0.elementsEqual("*".utf8) }) { return [UInt8(ascii: "*")] }
        let others = others.map { Array($0.utf8)[...] }
        let kept = names.filter { name in !name.isEmpty && !others.contains { isSame($0, name) } }
        return Array((kept + others).joined(separator: ", ".utf8))
    }
}
