package import WireFormats

/// Where lines of a log go.
package enum LogDestination: Hashable, Sendable, CustomStringConvertible {
    /// `""`
    case nowhere
    /// `"-"`
    case standardOutput
    /// As written: relative to the working directory.
    case file(String)

    init(_ path: String) {
        switch path {
        case "": self = .nowhere
        case "-": self = .standardOutput
        default: self = .file(path)
        }
    }

    package var description: String {
        switch self {
        case .nowhere: ""
        case .standardOutput: "-"
        case .file(let path): path
        }
    }
}

/// `[access_log]`.
package struct AccessLogConfiguration: Sendable {
    package enum Format: String, CaseIterable, Sendable {
        /// Text on a terminal, JSON elsewhere.
        case auto
        case json, text
    }

    package var destination = LogDestination.standardOutput
    package var format = Format.auto

    init() {}

    init(reading section: Section) {
        destination = LogDestination(section.text("path", or: "-"))
        format = section.choice("format", or: .auto)
        section.finish()
    }
}

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
        if let path = section.text("path") { destination = LogDestination(path.value) }
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
}
