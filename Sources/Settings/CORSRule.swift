/// One rule of `[[server.cors]]` or `[[buckets.cors]]`; of several the first that matches counts.
package struct CORSRule: Sendable {
    /// Origins such as `https://app.example.com`, or `*`.
    package let allowedOrigins: [String]
    package let allowedMethods: [String]
    package let allowedHeaders: [String]
    package let exposeHeaders: [String]
    package let maxAge: Duration

    private static let methods = ["GET", "PUT", "POST", "HEAD", "DELETE"]

    init(reading section: Section) {
        let reader = section.reader
        let origins = section.texts("allowed_origins")
        if origins?.isEmpty ?? !section.has("allowed_origins") {
            reader.report("needs at least one origin", at: section.place(of: "allowed_origins"))
        }
        for origin in origins ?? [] where !Self.isOrigin(origin.value) {
            reader.report(
                "\(quoted(origin.value)) is not an origin",
                at: origin.origin,
                suggestion: "write it like \"https://app.example.com\", without a path, or \"*\""
            )
        }
        allowedOrigins = (origins ?? []).map(\.value)
        let methods = section.texts("allowed_methods")
        for method in methods ?? [] where !Self.methods.contains(method.value) {
            reader.report(
                "\(quoted(method.value)) is none of \(Self.methods.joined(separator: ", "))",
                at: method.origin,
                suggestion: NearestName.find(for: method.value, among: Self.methods)
                    .map { "did you mean \(quoted($0))?" }
            )
        }
        allowedMethods = methods?.map(\.value) ?? ["GET", "HEAD"]
        allowedHeaders = (section.texts("allowed_headers") ?? []).map(\.value)
        exposeHeaders = (section.texts("expose_headers") ?? []).map(\.value)
        maxAge = section.duration("max_age", or: .seconds(3600))
        section.finish()
    }

    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        // One `*` may stand for a part of the host, as in the rules of S3.
        let literal = text.replacing("*", with: "x", maxReplacements: 1)
        return !text.hasSuffix("/") && PublicURL(parsing: literal) != nil
    }
}
