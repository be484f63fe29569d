/// Names of principals as the configuration gives them: without the kind that typed identities begin with.
package enum PrincipalName {
    static func validated(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        guard let fault = fault(of: text.value) else { return text.value }
        reader.report(fault.message, at: text.origin, suggestion: fault.suggestion)
        return nil
    }

    /// Why nobody can be called that; nil: somebody can.
    package static func fault(of text: String) -> (message: String, suggestion: String?)? {
        for kind in ["user:", "key:", "idp:", "role:", "link:"] {
            if let bare = text.removing(prefix: kind) {
                let suggestion = "write \(quoted(bare)); policies call it \(quoted(text))"
                return ("is a name without its kind", suggestion)
            }
        }
        guard text.utf8.count <= 128 else { return ("is longer than 128 bytes", nil) }
        let isName = text.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "*" }
        return isName ? nil : ("must not contain spaces, control characters or \"*\"", nil)
    }

    /// Short keys can be guessed; the shortest that AWS and `gatehouse key new` make is longer.
    ///
    /// - Parameter kind: what `gatehouse key new` calls such a key; nil: it makes none.
    static func warnIfShort(_ secret: Located<String>, making kind: String? = nil, _ reader: ConfigurationReader) {
        guard secret.value.utf8.count < 16 else { return }
        reader.report(
            "is shorter than 16 characters and may be guessed",
            at: secret.origin,
            suggestion: "make one with " + quoted(kind.map { "gatehouse key new " + $0 } ?? "openssl rand -base64 32"),
            severity: .warning
        )
    }
}
