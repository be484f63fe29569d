public import HTTP1

extension CORSConfiguration {
    /// What a browser asks before it sends a request that no form could send: `OPTIONS` with the method and the headers
    /// to come (Fetch standard, "CORS-preflight request").
    public struct Preflight: Hashable, Sendable {
        public let origin: [UInt8]
        public let method: [UInt8]
        /// Names as they were sent.
        public let headers: [[UInt8]]

        public static let maxHeaders = 100

        /// - Throws: `BadRequest` where the origin or the method is missing or said twice, or a header is no token.
        public init(_ fields: FieldBlock) throws(S3Error) {
            guard let origin = Self.single(fields, "origin"), !origin.isEmpty else {
                throw S3Error(.badRequest, "Insufficient information. Origin request header needed.")
            }
            guard let method = Self.single(fields, "access-control-request-method"), !method.isEmpty else {
                throw S3Error(.badRequest, "Invalid Access-Control-Request-Method: one method is needed.")
            }
            guard fields.count(of: "access-control-request-headers") <= 1 else {
                throw S3Error(.badRequest, "Access-Control-Request-Headers was given more than once.")
            }
            var headers: [[UInt8]] = []
            for entry in fields.entries where fields.isNamed(entry, "access-control-request-headers") {
                for name in fields.value(entry).split(separator: UInt8(ascii: ",")) {
                    let name = Array(name.filter { $0 != 0x20 && $0 != 0x09 })
                    guard !name.isEmpty, name.allSatisfy({ (0x21...0x7E).contains($0) }),
                        headers.count < Self.maxHeaders
                    else { throw S3Error(.badRequest, "Invalid Access-Control-Request-Headers.") }
                    headers.append(name)
                }
            }
            self.origin = Array(origin)
            self.method = Array(method)
            self.headers = headers
        }

        /// The value of `access-control-request-headers`; nil where none are asked for.
        public var headerList: [UInt8]? {
            headers.isEmpty ? nil : Array(headers.joined(separator: Array(", ".utf8)))
        }

        private static func single(_ fields: FieldBlock, _ name: StaticString) -> ArraySlice<UInt8>? {
            fields.count(of: name) == 1 ? fields.first(name) : nil
        }
    }
}
