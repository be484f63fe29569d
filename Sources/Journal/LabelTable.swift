/// The values of one metric label, numbered in the order of their first use: the closed list that the label's series
/// are drawn from. Bounded: beyond 1,024 values everything counts as `other`.
struct LabelTable: Sendable {
    static let maximum = 1024

    private(set) var names: [String] = []
    private var byName: [String: Int] = [:]
    /// A literal's address stands for its text, which saves hashing it on every request.
    private var byAddress: [UInt: Int] = [:]

    mutating func index(of name: StaticString) -> Int {
        guard name.hasPointerRepresentation else { return index(of: name.description) }
        let address = UInt(bitPattern: name.utf8Start)
        if let known = byAddress[address] { return known }
        let index = index(of: name.description)
        if byAddress.count < Self.maximum { byAddress[address] = index }
        return index
    }

    mutating func index(of name: String) -> Int {
        if let known = byName[name] { return known }
        let label = names.count < Self.maximum ? name : "other"
        if label != name, let other = byName[label] { return other }
        names.append(label)
        byName[label] = names.count - 1
        return names.count - 1
    }
}
