/// Sections of the contract that this version does not have. They are recognised, so that nobody takes one for a
/// typing error, and refused, so that nobody relies on one that does nothing.
enum LaterSections {
    static let topLevel = [
        "tracing": "tracing"
    ]

    /// Reports those of `root` that are given, and marks them as known.
    static func refuse(in root: Section) {
        for (name, what) in topLevel.sorted(by: { $0.key < $1.key }) {
            guard let value = root.value(name) else { continue }
            root.reader.report("\(what): not supported by this version", at: value.origin, suggestion: "remove it")
        }
    }
}
