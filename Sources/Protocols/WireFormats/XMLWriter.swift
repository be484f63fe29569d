/// Writes one XML document as UTF-8 bytes, beginning with its declaration. Text is escaped so that any reader gives
/// back what was written; what XML 1.0 can't hold at all becomes U+FFFD.
public struct XMLWriter: Sendable {
    public private(set) var bytes: [UInt8]
    private var open: [StaticString] = []

    public init(reservingBytes: Int = 512) {
        bytes = []
        bytes.reserveCapacity(reservingBytes)
        bytes.append(contentsOf: #"<?xml version="1.0" encoding="UTF-8"?>"#.utf8)
        bytes.append(UInt8(ascii: "\n"))
    }

    /// - Parameter attributes: as they are written, without what must be escaped.
    public mutating func open(_ name: StaticString, attributes: StaticString) {
        append("<")
        append(name)
        append(" ")
        append(attributes)
        append(">")
        open.append(name)
    }

    public mutating func open(_ name: StaticString, xmlns: StaticString? = nil) {
        bytes.append(UInt8(ascii: "<"))
        append(name)
        if let xmlns {
            append(" xmlns=\"")
            append(xmlns)
            append("\"")
        }
        bytes.append(UInt8(ascii: ">"))
        open.append(name)
    }

    /// Closes the innermost open element, which must be `name`.
    public mutating func close(_ name: StaticString) {
        let innermost = open.popLast()
        precondition(innermost?.description == name.description, "XML elements closed out of order")
        append("</")
        append(name)
        bytes.append(UInt8(ascii: ">"))
    }

    /// `text` is UTF-8.
    public mutating func element(_ name: StaticString, _ text: some Sequence<UInt8>) {
        open(name)
        appendEscaped(text)
        close(name)
    }

    public mutating func element(_ name: StaticString, _ text: String) {
        element(name, text.utf8)
    }

    public mutating func element(_ name: StaticString, _ number: some BinaryInteger) {
        element(name, String(number).utf8)
    }

    public mutating func element(_ name: StaticString, _ value: Bool) {
        element(name, (value ? "true" : "false").utf8)
    }

    private mutating func append(_ text: StaticString) {
        text.withUTF8Buffer { bytes.append(contentsOf: $0) }
    }

    private mutating func appendEscaped(_ text: some Sequence<UInt8>) {
        for byte in text {
            switch byte {
            case UInt8(ascii: "&"): append("&amp;")
            case UInt8(ascii: "<"): append("&lt;")
            case UInt8(ascii: ">"): append("&gt;")
            case UInt8(ascii: "\""): append("&quot;")
            // Left bare, these would come back as other whitespace (XML 1.0, sections 2.11 and 3.3.3).
            case UInt8(ascii: "\r"): append("&#13;")
            case UInt8(ascii: "\n"): append("&#10;")
            case UInt8(ascii: "\t"): append("&#9;")
            case 0..<0x20: append("\u{FFFD}")
            default: bytes.append(byte)
            }
        }
    }
}
