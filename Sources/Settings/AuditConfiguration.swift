package import WireFormats

/// `[audit]`: the hash-chained record of decisions.
package struct AuditConfiguration: Sendable {
    package enum OnError: String, CaseIterable, Sendable {
        /// Serve on, and say in metrics and readiness that lines are lost.
        case `continue`
        /// Serve nothing that cannot be recorded.
        case deny
    }

    package var destination = LogDestination.file("audit.jsonl")
    /// Bytes.
    package var rotateSize: Int64 = 256 << 20
    /// Rotated files that are kept.
    package var keep = 10
    package var onError = OnError.continue
    /// nil: the chain is hashed, but not authenticated.
    package var hmacKey: Secret<String>?

    init() {}

    init(reading section: Section) {
        self.init()
        destination = Self.destination(reading: section)
        rotateSize = section.size("rotate_size", or: rotateSize, in: (1 << 16)...(1 << 40))
        keep = section.integer("keep", or: keep, in: 0...100_000)
        onError = section.choice("on_error", or: .continue)
        // The contract's default is the empty string; by reference, empty is a mistake.
        if let key = section.text("hmac_key"), !key.value.isEmpty, let resolved = section.resolved("hmac_key") {
            hmacKey = Secret(resolved.value)
            PrincipalName.warnIfShort(resolved, making: "audit", section.reader)
        }
        section.finish()
    }

    /// Where it goes, and nothing else of the section.
    static func destination(reading section: Section) -> LogDestination {
        section.text("path").map { LogDestination($0, section.reader.kept) }
            ?? .file(section.reader.kept(standard: "audit.jsonl"))
    }
}
