import WireFormats

/// Which pages of other origins may use a bucket from a browser: ordered rules, of which the first that matches counts
/// (S3 User Guide, "Elements of a CORS configuration").
public struct CORSConfiguration: Hashable, Sendable {
    public static let maxRules = 100
    /// What an answer depends on where there are rules, whatever it says: otherwise a cache would give one origin's to
    /// another.
    public static let vary = ["Origin", "Access-Control-Request-Method", "Access-Control-Request-Headers"]

    public let rules: [Rule]

    public init(rules: [Rule]) { self.rules = rules }

    /// A `CORSConfiguration` document.
    /// - Throws: `MalformedXML` for what is no such document, `InvalidRequest` for what a rule can't say.
    public init(parsing document: [UInt8]) throws(S3Error) {
        let root = try readRequestDocument(document, root: "CORSConfiguration", maxElements: 20_000)
        guard (1...Self.maxRules).contains(root.children.count) else { throw S3Error(.malformedXML) }
        var rules: [Rule] = []
        for node in root.children {
            guard node.name == "CORSRule" else { throw S3Error(.malformedXML) }
            rules.append(try Rule(node))
        }
        self.rules = rules
    }

    /// The first rule for requests of that method from that origin.
    public func rule(origin: some Collection<UInt8>, method: some Collection<UInt8>) -> Rule? {
        rules.first { $0.allows(origin: origin) && $0.allows(method: method) }
    }

    /// The first rule that also allows every header that a preflight names.
    public func rule(for preflight: Preflight) -> Rule? {
        rules.first { rule in
            rule.allows(origin: preflight.origin) && rule.allows(method: preflight.method)
                && preflight.headers.allSatisfy { rule.allows(header: $0) }
        }
    }

    public func document() -> [UInt8] {
        var writer = XMLWriter()
        writer.open("CORSConfiguration", xmlns: XMLNode.s3Namespace)
        for rule in rules { rule.write(to: &writer) }
        writer.close("CORSConfiguration")
        return writer.bytes
    }
}

extension CORSConfiguration.Rule {
    fileprivate init(_ node: XMLNode) throws(S3Error) {
        var id: String?
        var maxAge: Int?
        var origins: [String] = []
        var methods: [String] = []
        var headers: [String] = []
        var exposed: [String] = []
        for child in node.children {
            let text = child.text.trimmingXMLSpace
            switch child.name {
            case "ID" where id == nil && text.utf8.count <= 255: id = text
            case "AllowedOrigin": origins.append(text)
            case "AllowedMethod": methods.append(text)
            case "AllowedHeader": headers.append(text)
            case "ExposeHeader": exposed.append(text)
            case "MaxAgeSeconds" where maxAge == nil:
                guard let seconds = decimal(text.utf8) else { throw S3Error(.malformedXML) }
                maxAge = seconds
            default: throw S3Error(.malformedXML)
            }
        }
        guard !origins.isEmpty, !methods.isEmpty else { throw S3Error(.malformedXML) }
        for method in methods where !Self.methods.contains(method) {
            throw S3Error(
                .invalidRequest,
                "Found unsupported HTTP method in CORS config. Unsupported method is \(method)"
            )
        }
        for origin in origins where Self.wildcards(in: origin) > 1 {
            throw S3Error(.invalidRequest, "AllowedOrigin \"\(origin)\" can not have more than one wildcard.")
        }
        for header in headers where Self.wildcards(in: header) > 1 {
            throw S3Error(.invalidRequest, "AllowedHeader \"\(header)\" can not have more than one wildcard.")
        }
        for header in exposed where Self.wildcards(in: header) > 0 {
            throw S3Error(
                .invalidRequest,
                "ExposeHeader \"\(header)\" contains wildcard. We currently do not support wildcard for ExposeHeader."
            )
        }
        // What is no token would break out of the field it is answered in.
        for name in headers + exposed where !Self.isToken(name) { throw S3Error(.malformedXML) }
        for origin in origins where !Self.isVisible(origin) { throw S3Error(.malformedXML) }
        self.init(
            id: id,
            allowedOrigins: origins,
            allowedMethods: methods,
            allowedHeaders: headers,
            exposedHeaders: exposed,
            maxAgeSeconds: maxAge
        )
    }

    private static let methods = ["GET", "PUT", "POST", "DELETE", "HEAD"]

    private static func wildcards(in text: String) -> Int { text.utf8.count { $0 == UInt8(ascii: "*") } }

    private static func isVisible(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    private static func isToken(_ text: String) -> Bool {
        isVisible(text) && !text.utf8.contains { "()<>@,;:\\\"/[]?={}".utf8.contains($0) }
    }

    fileprivate func write(to writer: inout XMLWriter) {
        writer.open("CORSRule")
        if let id { writer.element("ID", id) }
        for method in allowedMethods { writer.element("AllowedMethod", method) }
        for origin in allowedOrigins { writer.element("AllowedOrigin", origin) }
        for header in allowedHeaders { writer.element("AllowedHeader", header) }
        for header in exposedHeaders { writer.element("ExposeHeader", header) }
        if let maxAgeSeconds { writer.element("MaxAgeSeconds", maxAgeSeconds) }
        writer.close("CORSRule")
    }
}
