/// Values by prefixes of byte strings: those of all prefixes that a text begins with are found without looking at others.
///
/// In the order of their bytes, every prefix that a text begins with is one that its neighbour in that order begins with too,
/// so that each one only has to know the longest of those that it begins with itself.
struct PrefixIndex<Value: Sendable>: Sendable {
    private struct Place: Sendable {
        let prefix: [UInt8]
        var value: Value
        /// Of the prefixes that it begins with the longest; before it in the order.
        var parent: Int?
    }

    private var places: [Place] = []

    var isEmpty: Bool { places.isEmpty }

    /// All values.
    var values: [Value] { places.map(\.value) }

    /// The value of just that prefix; nil: there is none, or is to be none.
    subscript(prefix: [UInt8]) -> Value? {
        get {
            let place = place(behind: prefix) - 1
            return place >= 0 && places[place].prefix == prefix ? places[place].value : nil
        }
        set {
            let behind = place(behind: prefix)
            let isKnown = behind > 0 && places[behind - 1].prefix == prefix
            switch (newValue, isKnown) {
            case (let value?, true): places[behind - 1].value = value
            case (let value?, false): insert(Place(prefix: prefix, value: value, parent: nil), at: behind)
            case (nil, true): remove(at: behind - 1)
            case (nil, false): break
            }
        }
    }

    /// The values of the prefixes that a text begins with, the longest first.
    func values(within text: [UInt8]) -> [Value] {
        let nearest = place(behind: text) - 1
        guard nearest >= 0 else { return [] }
        let common = zip(places[nearest].prefix, text).prefix { $0 == $1 }.count
        var found: [Value] = []
        var next: Int? = nearest
        while let place = next {
            if places[place].prefix.count <= common { found.append(places[place].value) }
            next = places[place].parent
        }
        return found
    }

    /// The first place whose prefix comes after that in the order.
    private func place(behind text: [UInt8]) -> Int {
        var (low, high) = (0, places.count)
        while low < high {
            let middle = (low + high) / 2
            if text.lexicographicallyPrecedes(places[middle].prefix) { high = middle } else { low = middle + 1 }
        }
        return low
    }

    private mutating func insert(_ new: Place, at index: Int) {
        var parent = index > 0 ? index - 1 : nil
        while let place = parent, !new.prefix.starts(with: places[place].prefix) { parent = places[place].parent }
        for place in index..<places.count {
            if let old = places[place].parent, old >= index { places[place].parent = old + 1 }
        }
        places.insert(Place(prefix: new.prefix, value: new.value, parent: parent), at: index)
        for place in (index + 1)..<places.count {
            guard places[place].prefix.starts(with: new.prefix) else { break }
            if places[place].parent == parent { places[place].parent = index }
        }
    }

    private mutating func remove(at index: Int) {
        let parent = places[index].parent
        for place in (index + 1)..<places.count {
            guard let old = places[place].parent, old >= index else { continue }
            places[place].parent = old == index ? parent : old - 1
        }
        places.remove(at: index)
    }
}
