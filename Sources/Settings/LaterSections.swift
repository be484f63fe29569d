/// Sections of the contract that this version does not have. They are recognised, so that nobody takes one for a
/// typing error, and refused, so that nobody relies on one that does nothing.
enum LaterSections {
    private static let topLevel = ["tracing"]

    /// Reports those of `root` that are given, and marks them as known.
    static func refuse(in root: Section) {
        for name in topLevel {
            guard let value = root.value(name) else { continue }
            root.reader.report("is not supported by this version", at: value.origin, suggestion: "remove it")
        }
    }
}
