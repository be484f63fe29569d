import HTTP1

/// What separates the parts of a form (RFC 2046, section 5.1.1; RFC 7578): 1...70 bytes.
public struct FormBoundary: Hashable, Sendable {
    public let bytes: [UInt8]

    /// Reads the `Content-Type` of a request. Nil for another media type than `multipart/form-data`.
    ///
    /// - Throws: `MalformedPOSTRequest` where the boundary is missing, doubled or not one.
    public init?(contentType: ArraySlice<UInt8>) throws(S3Error) {
        let type = contentType.prefix { $0 != UInt8(ascii: ";") }
        guard equalsIgnoringCase(trimmedSpace(type), "multipart/form-data") else { return nil }
        var found: [UInt8]?
        var parameters = ParameterList(contentType[type.endIndex...])
        while let (name, value) = try parameters.next() {
            guard equalsIgnoringCase(name[...], "boundary") else { continue }
            guard found == nil else { throw .malformedForm("Two boundaries are given.") }
            found = value
        }
        guard let found, (1...70).contains(found.count), found.last != 0x20, found.allSatisfy(Self.isAllowed) else {
            throw .malformedForm("The boundary is missing or not valid.")
        }
        bytes = found
    }

    /// What precedes each part but the first: CRLF and two hyphens included.
    var delimiter: [UInt8] { Array("\r\n--".utf8) + bytes }

    /// `bchars` of RFC 2046.
    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "'()+_,-./:=? ".utf8.contains(byte)
        }
    }
}

/// Parameters as they follow a media type or a disposition: `; name=token; name="quoted"`.
struct ParameterList {
    private var rest: ArraySlice<UInt8>

    init(_ rest: ArraySlice<UInt8>) { self.rest = rest }

    /// Nil at the end. In a quoted value a backslash escapes a quote or a backslash and is itself elsewhere: browsers
    /// have sent whole Windows paths.
    mutating func next() throws(S3Error) -> (name: [UInt8], value: [UInt8])? {
        rest = trimmedSpace(rest)
        guard !rest.isEmpty else { return nil }
        guard rest.first == UInt8(ascii: ";") else { throw Self.unreadable }
        rest = trimmedSpace(rest.dropFirst())
        // A semicolon at the end is common and harmless.
        guard !rest.isEmpty else { return nil }
        guard let equals = rest.firstIndex(of: UInt8(ascii: "=")) else { throw Self.unreadable }
        let name = rest[..<equals]
        guard !name.isEmpty, name.allSatisfy(Self.isTokenByte) else { throw Self.unreadable }
        rest = rest[(equals + 1)...]
        if rest.first == UInt8(ascii: "\"") { return (Array(name), try quoted()) }
        let value = rest.prefix(while: Self.isTokenByte)
        guard !value.isEmpty else { throw Self.unreadable }
        rest = rest[value.endIndex...]
        return (Array(name), Array(value))
    }

    private mutating func quoted() throws(S3Error) -> [UInt8] {
        var value: [UInt8] = []
        var index = rest.startIndex + 1
        while index < rest.endIndex {
            let byte = rest[index]
            if byte == UInt8(ascii: "\"") {
                rest = rest[(index + 1)...]
                return value
            }
            if byte == UInt8(ascii: "\\"), index + 1 < rest.endIndex,
                rest[index + 1] == UInt8(ascii: "\"") || rest[index + 1] == UInt8(ascii: "\\")
            {
                index += 1
            }
            value.append(rest[index])
            index += 1
        }
        throw Self.unreadable
    }

    /// Characters of a token (RFC 9110, section 5.6.2), and those that boundaries are written with unquoted all the same.
    private static func isTokenByte(_ byte: UInt8) -> Bool {
        byte > 0x20 && byte < 0x7f && !"\"(),;<>@[\\]{}=".utf8.contains(byte)
    }

    private static var unreadable: S3Error { .malformedForm("Parameters of a field can't be read.") }
}

extension S3Error {
    static func malformedForm(_ message: String) -> S3Error { S3Error(.malformedPOSTRequest, message) }
}

/// Without spaces and tabs at either end.
func trimmedSpace(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var slice = bytes
    while let first = slice.first, first == 0x20 || first == 0x09 { slice = slice.dropFirst() }
    while let last = slice.last, last == 0x20 || last == 0x09 { slice = slice.dropLast() }
    return slice
}
