public import HTTP1
public import WireFormats

/// The canonical request of Signature Version 4, written from top to bottom into one run of bytes (AWS S3 API
/// reference, "Signature Calculations for the Authorization Header", task 1). The steps are called in their order.
public struct CanonicalRequest: Sendable {
    /// Which key a `%2F` in a path names is not in doubt (a slash is a slash), but how clients sign it is.
    public enum EncodedSlash: Sendable {
        /// Each segment is decoded and encoded by itself: `%2F` stays.
        case kept
        /// The whole path is decoded and encoded, as from the key: `%2F` becomes `/`.
        case plain
    }

    public private(set) var bytes: [UInt8]

    public init(_ method: HTTPMethod) {
        bytes = []
        bytes.reserveCapacity(1024)
        bytes.append(contentsOf: method.name.utf8)
        newline()
    }

    /// A path as a client sent it: decoded once and encoded once, because clients differ in what they leave raw and
    /// AWS reckons from the key. Empty segments stay.
    public mutating func appendPath(
        received path: [UInt8],
        encodedSlash: EncodedSlash
    ) throws(SignatureRefusal) {
        let decoded: [UInt8]
        if path.allSatisfy({ PercentEncoding.isUnreserved($0) || $0 == UInt8(ascii: "/") }) {
            // As most paths are: decoding and encoding would change nothing.
            bytes.append(contentsOf: path)
        } else if encodedSlash == .plain || !path.contains(UInt8(ascii: "%")) {
            decoded = try CanonicalRequest.decode(path)
            PercentEncoding.append(decoded, to: &bytes, keepSlash: .keep)
        } else {
            var isFirst = true
            for segment in path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
                if !isFirst { bytes.append(UInt8(ascii: "/")) }
                isFirst = false
                PercentEncoding.append(try CanonicalRequest.decode(segment), to: &bytes, keepSlash: .encode)
            }
        }
        newline()
    }

    private static func decode(_ path: some Collection<UInt8>) throws(SignatureRefusal) -> [UInt8] {
        do { return try PercentEncoding.decode(path) } catch { throw .malformedPath }
    }

    /// A path that we encoded ourselves and send as it is.
    mutating func appendPath(encoded path: [UInt8]) {
        bytes.append(contentsOf: path)
        newline()
    }

    public mutating func appendQuery(_ query: Query, excluding: StaticString? = nil) {
        query.appendCanonical(to: &bytes, excluding: excluding)
        newline()
    }

    /// A query that we encoded ourselves: each item gets its `=`, and items are sorted.
    mutating func appendQuery(encoded query: [UInt8]) {
        guard !query.isEmpty else { return newline() }
        var items = query.split(separator: UInt8(ascii: "&")).map { item in
            let equals = item.firstIndex(of: UInt8(ascii: "=")) ?? item.endIndex
            return (name: item[..<equals], value: item[equals...].dropFirst())
        }
        items.sort { left, right in
            left.name == right.name
                ? left.value.lexicographicallyPrecedes(right.value) : left.name.lexicographicallyPrecedes(right.name)
        }
        for (index, item) in items.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "&")) }
            bytes.append(contentsOf: item.name)
            bytes.append(UInt8(ascii: "="))
            bytes.append(contentsOf: item.value)
        }
        newline()
    }

    /// The covered fields, all values of each joined by commas, then the list of their names. `host` is the candidate
    /// under test and not the field. A covered field that is absent is a refusal: it is never taken as empty.
    public mutating func appendHeaders(
        _ names: SignedHeaders,
        of fields: FieldBlock,
        host: [UInt8]
    ) throws(SignatureRefusal) {
        for index in 0..<names.count {
            let name = names.name(index)
            bytes.append(contentsOf: name)
            bytes.append(UInt8(ascii: ":"))
            if name.spell("host") {
                appendTrimmed(host[...])
            } else {
                var isFirst = true
                for entry in fields.entries where fields.isNamed(entry, lowerCase: name) {
                    if !isFirst { bytes.append(UInt8(ascii: ",")) }
                    isFirst = false
                    appendTrimmed(fields.value(entry))
                }
                if isFirst { throw .signedHeaderMissing(String(decoding: name, as: UTF8.self)) }
            }
            newline()
        }
        newline()
        bytes.append(contentsOf: names.text)
        newline()
    }

    /// The fields at these places of a request of ours, which are sorted by name; `names` is the list of their names.
    mutating func appendHeaders(at places: [Int], of fields: FieldBlock, names: [UInt8]) {
        var last = fields.bytes[0..<0]
        for place in places {
            let name = fields.name(fields.entries[place])
            if !last.isEmpty, last == name {
                bytes.append(UInt8(ascii: ","))
            } else {
                if !last.isEmpty { newline() }
                bytes.append(contentsOf: name)
                bytes.append(UInt8(ascii: ":"))
                last = name
            }
            appendTrimmed(fields.value(fields.entries[place]))
        }
        newline()
        newline()
        bytes.append(contentsOf: names)
        newline()
    }

    /// These places, by name, fields of the same name in their order.
    static func sorted(_ places: [Int], of fields: FieldBlock) -> [Int] {
        var places = places
        fields.bytes.withUnsafeBufferPointer { bytes in
            places.sort { left, right in
                let (a, b) = (fields.entries[left].name, fields.entries[right].name)
                let (first, second) = (bytes[a], bytes[b])
                if first.lexicographicallyPrecedes(second) { return true }
                return left < right && first.elementsEqual(second)
            }
        }
        return places
    }

    /// The names of the fields at these places, which are sorted by name: each once, separated by semicolons.
    static func names(at places: [Int], of fields: FieldBlock) -> [UInt8] {
        var names: [UInt8] = []
        names.reserveCapacity(128)
        var last = fields.bytes[0..<0]
        for place in places {
            let name = fields.name(fields.entries[place])
            guard last != name else { continue }
            if !last.isEmpty { names.append(UInt8(ascii: ";")) }
            names.append(contentsOf: name)
            last = name
        }
        return names
    }

    /// The headers of a request of ours that covers nothing but what every request does; `host` and `token` have no spaces.
    mutating func appendPlainHeaders(
        host: ArraySlice<UInt8>,
        payload: [UInt8],
        date: [UInt8],
        token: String?,
        names: [UInt8]
    ) {
        bytes.append(contentsOf: "host:".utf8)
        bytes.append(contentsOf: host)
        bytes.append(contentsOf: "\nx-amz-content-sha256:".utf8)
        bytes.append(contentsOf: payload)
        bytes.append(contentsOf: "\nx-amz-date:".utf8)
        bytes.append(contentsOf: date)
        if let token {
            bytes.append(contentsOf: "\nx-amz-security-token:".utf8)
            bytes.append(contentsOf: token.utf8)
        }
        bytes.append(contentsOf: "\n\n".utf8)
        bytes.append(contentsOf: names)
        newline()
    }

    /// The last line: the payload hash exactly as it was sent.
    public mutating func appendPayload(_ text: some Sequence<UInt8>) {
        bytes.append(contentsOf: text)
    }

    mutating func appendPayload(_ payload: PayloadHash) {
        payload.append(to: &bytes)
    }

    private mutating func newline() { bytes.append(UInt8(ascii: "\n")) }

    /// The value without white space at its ends, and with each run of it inside as one space.
    private mutating func appendTrimmed(_ value: ArraySlice<UInt8>) {
        let hasSpace = value.withUnsafeBufferPointer { value in
            for byte in value where byte == 0x20 || byte == 0x09 { return true }
            return false
        }
        guard hasSpace else {
            bytes.append(contentsOf: value)
            return
        }
        var pendingSpace = false
        let start = bytes.count
        for byte in value {
            if byte == 0x20 || byte == 0x09 {
                pendingSpace = bytes.count > start
            } else {
                if pendingSpace { bytes.append(0x20) }
                pendingSpace = false
                bytes.append(byte)
            }
        }
    }
}

extension FieldBlock {
    fileprivate func isNamed(_ entry: Entry, lowerCase name: ArraySlice<UInt8>) -> Bool {
        guard entry.name.count == name.count else { return false }
        return bytes.withUnsafeBufferPointer { all in
            name.withUnsafeBufferPointer { name in
                for index in 0..<name.count where lowered(all[entry.name.lowerBound + index]) != name[index] {
                    return false
                }
                return true
            }
        }
    }
}
