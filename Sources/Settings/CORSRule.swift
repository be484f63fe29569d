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
        allowedHeaders = Self.fieldNames("allowed_headers", in: section, stars: 1)
        exposeHeaders = Self.fieldNames("expose_headers", in: section, stars: 0)
        maxAge = section.duration("max_age", or: .seconds(3600))
        section.finish()
    }

    /// Names of header fields (RFC 9110, section 5.1), in each at most so many `*`.
    private static func fieldNames(_ name: String, in section: Section, stars: Int) -> [String] {
        let texts = section.texts(name) ?? []
        for text in texts {
            let found = text.value.utf8.count { $0 == UInt8(ascii: "*") }
            let isName = !text.value.isEmpty && found <= stars && text.value.utf8.allSatisfy(isTokenByte)
            guard !isName else { continue }
            section.reader.report(
                "\(quoted(text.value)) is not the name of a header field",
                at: text.origin,
                suggestion: found <= stars ? nil : stars == 0 ? "name each of them" : "one * is allowed"
            )
        }
        return texts.map(\.value)
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        let isLetter = (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
        return isLetter || byte &- 0x30 < 10 || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    private static func isOrigin(_ text: String) -> Bool {
        if text == "*" { return true }
        // One `*` may stand for a part of the host, as in the rules of S3.
        let literal = text.replacing("*", with: "x", maxReplacements: 1)
        return !text.hasSuffix("/") && PublicURL(parsing: literal) != nil
    }
}
