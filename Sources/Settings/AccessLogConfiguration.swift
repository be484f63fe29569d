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
        if let path = section.text("path") { destination = LogDestination(path, section.reader.located) }
        format = section.choice("format", or: .auto)
        section.finish()
    }
}
