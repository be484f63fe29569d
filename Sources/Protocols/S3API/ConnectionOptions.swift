import HTTP1

/// What a `Connection` field nominates is for this hop only and must not be sent on (RFC 9110, section 7.6.1). A client
/// that nominates a field which changes what its request means would have its condition or its lock dropped on the
/// way: such a request is refused instead.
enum ConnectionOptions {
    static func check(_ fields: FieldBlock) throws(S3Error) {
        for entry in fields.entries where fields.isNamed(entry, "connection") {
            for option in fields.value(entry).split(separator: UInt8(ascii: ",")) {
                let name = option.drop { $0 == 0x20 || $0 == 0x09 }
                if hasAmzPrefix(name) || meaningful.contains(where: { begins(name, $0) }) {
                    throw S3Error(.invalidRequest, "The Connection header names a header that is not for one hop.")
                }
            }
        }
    }

    /// All the content fields, conditions and credentials.
    private static let meaningful: [StaticString] = [
        "content-", "if-", "range", "authorization", "x-api-key", "host", "cache-control", "expires", "cookie",
        "transfer-encoding",
    ]

    private static func begins(_ name: ArraySlice<UInt8>, _ prefix: StaticString) -> Bool {
        equalsIgnoringCase(name.prefix(prefix.utf8CodeUnitCount), prefix)
    }
}
