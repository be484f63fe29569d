package import WireFormats

/// `[ext_authz]`: other gateways that ask whether a request may pass.
package struct GatewaysConfiguration: Sendable {
    /// Which peers may ask. Only loopback where nothing is said.
    package var peers: [CIDR] = ["127.0.0.0/8", "::1"].compactMap { CIDR($0) }
    /// nil: the peer's address is enough.
    package var sharedSecret: Secret<String>?
    /// Taken off the original path; empty, or with a leading and no trailing slash.
    package var stripPrefix = "/s3"

    init() {}

    init(reading section: Section) {
        self.init()
        if let texts = section.texts("gateways") {
            peers = texts.compactMap { text in
                if let range = CIDR(text.value) { return range }
                section.reader.report(
                    "\(quoted(text.value)) is not an address or a range of addresses",
                    at: text.origin,
                    suggestion: "write it like \"10.0.0.0/8\" or \"::1\""
                )
                return nil
            }
        }
        if section.text("shared_secret").map({ !$0.value.isEmpty }) ?? false,
            let secret = section.resolved("shared_secret")
        {
            if secret.value.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) {
                PrincipalName.warnIfShort(secret, section.reader)
                sharedSecret = Secret(secret.value)
            } else {
                section.reader.report("contains characters that a header field cannot carry", at: secret.origin)
            }
        }
        if let text = section.text("strip_prefix") {
            if Self.isPrefix(text.value) {
                stripPrefix = text.value
            } else {
                section.reader.report(
                    "\(quoted(text.value)) is not the beginning of a path",
                    at: text.origin,
                    suggestion: "write it like \"/s3\", of letters, digits, \"-\", \"_\" and \".\", or leave it empty"
                )
            }
        }
        section.finish()
    }

    /// Nothing in it that two readers of a path could take differently.
    private static func isPrefix(_ text: String) -> Bool {
        guard !text.isEmpty else { return true }
        guard text.hasPrefix("/"), text.utf8.count <= 256 else { return false }
        return text.dropFirst().split(separator: "/", omittingEmptySubsequences: false).allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".."
                && segment.utf8.allSatisfy { byte in
                    (byte | 0x20) &- 0x61 < 26 || byte &- 0x30 < 10 || "-_.".utf8.contains(byte)
                }
        }
    }
}
