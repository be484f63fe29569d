package import Admission
package import Identity

/// One entry of `[[policies]]`: a policy document and whom it is about.
package struct PolicyConfiguration: Sendable {
    package let name: String
    package let appliesTo: [PrincipalPattern]
    /// The document's JSON, which ``compiled`` was made of.
    package let document: [UInt8]
    package let compiled: PolicyDocument
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
        let compiled = document.flatMap { Self.compiled($0, reader) }
        origin = section.origin
        section.finish()
        guard let name, let document, let compiled else { return nil }
        self.name = name.value
        appliesTo = patterns.map(\.0)
        patternOrigins = patterns.map(\.1)
        self.document = Array(document.value.utf8)
        self.compiled = compiled
    }

    private static func compiled(_ document: Located<String>, _ reader: ConfigurationReader) -> PolicyDocument? {
        do {
            return try PolicyDocument(parsing: document.value.utf8)
        } catch {
            reader.report("the document is not a policy: \(error)", at: document.origin)
            return nil
        }
    }
}
