import HTTP1

/// The header of one part of a form (RFC 7578, section 4).
struct FormPartHeader {
    /// In lower case: S3 does not tell `Key` from `key`.
    let name: String
    /// As it was sent, path included; nil where there is none.
    let filename: [UInt8]?

    /// - Parameter lines: what precedes the empty line, without its end.
    init(_ lines: ArraySlice<UInt8>) throws(S3Error) {
        var disposition: (name: [UInt8], filename: [UInt8]?)?
        for line in try Self.lines(lines) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { throw Self.unreadable }
            let field = line[..<colon]
            let value = trimmedSpace(line[(colon + 1)...])
            guard !field.isEmpty, field.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { throw Self.unreadable }
            if equalsIgnoringCase(field, "content-disposition") {
                guard disposition == nil else { throw Self.unreadable }
                disposition = try Self.disposition(value)
            } else if equalsIgnoringCase(field, "content-transfer-encoding") {
                // RFC 7578, section 4.7: nobody decodes the others.
                guard ["7bit", "8bit", "binary"].contains(where: { equalsIgnoringCase(value, $0) }) else {
                    throw .malformedForm("A part's transfer encoding is not supported.")
                }
            }
        }
        guard let disposition else { throw .malformedForm("A part has no Content-Disposition.") }
        let bytes = disposition.name
        guard (1...256).contains(bytes.count), bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw .malformedForm("A field's name is not valid.")
        }
        name = String(decoding: bytes.map(lowered), as: UTF8.self)
        filename = disposition.filename
    }

    /// Split at CRLF. A lone CR or LF, NUL and folded lines are refused.
    private static func lines(_ block: ArraySlice<UInt8>) throws(S3Error) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var rest = block
        while !rest.isEmpty {
            let line = rest.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
            guard let first = line.first, first != 0x20, first != 0x09, !line.contains(0) else { throw unreadable }
            lines.append(line)
            rest = rest[line.endIndex...]
            guard !rest.isEmpty else { break }
            guard rest.starts(with: [13, 10]) else { throw unreadable }
            rest = rest.dropFirst(2)
        }
        return lines
    }

    private static func disposition(
        _ value: ArraySlice<UInt8>
    ) throws(S3Error) -> (name: [UInt8], filename: [UInt8]?) {
        let kind = value.prefix { $0 != UInt8(ascii: ";") }
        guard equalsIgnoringCase(trimmedSpace(kind), "form-data") else { throw unreadable }
        var name: [UInt8]?
        var filename: [UInt8]?
        var parameters = ParameterList(value[kind.endIndex...])
        while let (parameter, value) = try parameters.next() {
            if equalsIgnoringCase(parameter[...], "name") {
                guard name == nil else { throw unreadable }
                name = value
            } else if equalsIgnoringCase(parameter[...], "filename") {
                guard filename == nil else { throw unreadable }
                filename = value
            }
        }
        guard let name else { throw .malformedForm("A part has no name.") }
        return (name, filename)
    }

    private static var unreadable: S3Error { .malformedForm("The header of a part can't be read.") }
}
