package import Identity

/// One entry of `[[policies]]`: a policy document and whom it is about.
package struct PolicyConfiguration: Sendable {
    package let name: String
    package let appliesTo: [PrincipalPattern]
    /// The document's JSON.
    package let document: [UInt8]
    package let origin: Origin
    /// Where each of ``appliesTo`` is written.
    let patternOrigins: [Origin]

    init?(reading section: Section) {
        let reader = section.reader
        let name = section.required("name")
        if let name {
            reader.declare(name.value, as: .policy, at: name.origin, "the policy \(quoted(name.value)) is given")
        }
        var patterns: [(PrincipalPattern, Origin)] = []
        if let texts = section.texts("applies_to") {
            if texts.isEmpty {
                reader.report("applies to nobody", at: section.place(of: "applies_to"))
            }
            for text in texts {
                do {
                    patterns.append((try PrincipalPattern(parsing: text.value), text.origin))
                } catch {
                    reader.report(error.description, at: text.origin)
                }
            }
        } else if !section.has("applies_to") {
            reader.report("is required", at: section.place(of: "applies_to"), suggestion: "write [\"*\"] for everyone")
        }
        let document = section.required("document").flatMap { _ in section.resolved("document") }
        origin = section.origin
        section.finish()
        guard let name, let document else { return nil }
        self.name = name.value
        appliesTo = patterns.map(\.0)
        patternOrigins = patterns.map(\.1)
        self.document = Array(document.value.utf8)
    }
}
