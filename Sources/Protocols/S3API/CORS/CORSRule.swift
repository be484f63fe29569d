public import HTTP1

extension CORSConfiguration {
    /// One rule over requests that a page of another origin makes (Fetch standard, "HTTP-CORS protocol"; S3 User Guide,
    /// "Elements of a CORS configuration").
    public struct Rule: Hashable, Sendable {
        public let id: String?
        /// Origins, each with at most one `*` for any run of characters.
        public let allowedOrigins: [String]
        /// In upper case.
        public let allowedMethods: [String]
        /// Names in any case, each with at most one `*`.
        public let allowedHeaders: [String]
        /// Fields of answers that the page may read.
        public let exposedHeaders: [String]
        /// How long a browser may remember a preflight's answer.
        public let maxAgeSeconds: Int?

        public init(
            id: String? = nil,
            allowedOrigins: [String],
            allowedMethods: [String],
            allowedHeaders: [String] = [],
            exposedHeaders: [String] = [],
            maxAgeSeconds: Int? = nil
        ) {
            self.id = id
            self.allowedOrigins = allowedOrigins
            self.allowedMethods = allowedMethods
            self.allowedHeaders = allowedHeaders
            self.exposedHeaders = exposedHeaders
            self.maxAgeSeconds = maxAgeSeconds
        }

        // MARK: Matching

        public func allows(origin: some Collection<UInt8>) -> Bool {
            allowedOrigins.contains { Self.matches(origin, $0.utf8) }
        }

        public func allows(method: some Collection<UInt8>) -> Bool {
            allowedMethods.contains { method.elementsEqual($0.utf8) }
        }

        public func allows(header: some Collection<UInt8>) -> Bool {
            allowedHeaders.contains { Self.matches(header, $0.utf8) }
        }

        /// ASCII letters match in either case: origins and names of fields have none that matters.
        private static func matches(_ text: some Collection<UInt8>, _ pattern: some Collection<UInt8>) -> Bool {
            func isSame(_ one: UInt8, _ other: UInt8) -> Bool { lowered(one) == lowered(other) }
            guard let star = pattern.firstIndex(of: UInt8(ascii: "*")) else {
                return text.elementsEqual(pattern, by: isSame)
            }
            let head = pattern[..<star]
            let tail = pattern[pattern.index(after: star)...]
            return text.count >= head.count + tail.count && text.starts(with: head, by: isSame)
                && text.suffix(tail.count).elementsEqual(tail, by: isSame)
        }

        // MARK: Answering

        /// Adds what an answer to the origin says, but for ``CORSConfiguration/vary``. The origin was checked to be one that
        /// the rule allows: `*` where the rule is for everybody, otherwise the origin by name, with leave to send
        /// credentials.
        public func append(to fields: inout FieldBlock, origin: some Collection<UInt8>) {
            if allowedOrigins.contains("*") {
                fields.append("access-control-allow-origin", "*")
            } else {
                fields.append("access-control-allow-origin", origin)
                fields.append("access-control-allow-credentials", "true")
            }
            if !exposedHeaders.isEmpty {
                fields.append("access-control-expose-headers", exposedHeaders.joined(separator: ", "))
            }
        }

        /// Adds what the answer to a preflight says; the headers that were asked for are the ones that are allowed.
        public func append(to fields: inout FieldBlock, _ preflight: Preflight) {
            append(to: &fields, origin: preflight.origin)
            fields.append("access-control-allow-methods", allowedMethods.joined(separator: ", "))
            if let maxAgeSeconds { fields.append("access-control-max-age", String(maxAgeSeconds)) }
            if let headers = preflight.headerList { fields.append("access-control-allow-headers", headers) }
        }
    }
}
