/// `token`: what names in HTTP's fields consist of (RFC 9110, section 5.6.2).
public enum Token {
    public static func has(_ byte: UInt8) -> Bool {
        (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    /// Whether bytes are one.
    public static func isSpelt(by bytes: some Collection<UInt8>) -> Bool { !bytes.isEmpty && bytes.allSatisfy(has) }
}
