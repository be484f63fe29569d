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
            let name = header.map { lowered($0) }
            return allowedHeaders.contains { Self.matches(name, $0.utf8.map { lowered($0) }) }
        }

        private static func matches(_ text: some Collection<UInt8>, _ pattern: some Collection<UInt8>) -> Bool {
            guard let star = pattern.firstIndex(of: UInt8(ascii: "*")) else { return text.elementsEqual(pattern) }
            let head = pattern[..<star]
            let tail = pattern[pattern.index(after: star)...]
            return text.count >= head.count + tail.count && text.starts(with: head)
                && text.suffix(tail.count).elementsEqual(tail)
        }

        // MARK: Answering

        /// Adds what an answer to the origin says. The origin was checked to be one that the rule allows.
        public func append(to fields: inout FieldBlock, origin: some Collection<UInt8>) {
            let isForAll = allowedOrigins.contains("*")
            if isForAll {
                fields.append("access-control-allow-origin", "*")
            } else {
                fields.append("access-control-allow-origin", origin)
                fields.append("access-control-allow-credentials", "true")
            }
            fields.append("access-control-allow-methods", allowedMethods.joined(separator: ", "))
            if !exposedHeaders.isEmpty {
                fields.append("access-control-expose-headers", exposedHeaders.joined(separator: ", "))
            }
            if let maxAgeSeconds { fields.append("access-control-max-age", String(maxAgeSeconds)) }
            // The answer depends on these whichever it is, or a cache would give one origin's to another.
            fields.append("vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
        }

        /// Adds what the answer to a preflight says; the headers that were asked for are the ones that are allowed.
        public func append(to fields: inout FieldBlock, _ preflight: Preflight) {
            append(to: &fields, origin: preflight.origin)
            guard !preflight.headers.isEmpty else { return }
            fields.append("access-control-allow-headers", Array(preflight.headers.joined(separator: Array(", ".utf8))))
        }
    }
}
