import WireFormats

/// How a request becomes a line of the access log.
package enum AccessLogFormat: Sendable {
    /// One JSON object.
    case json
    /// For people at a terminal.
    case text

    /// Appends the line with its line feed. `clock` is the loop's own.
    package func append(_ record: RequestRecord, clock: inout LineClock, to line: inout [UInt8]) {
        switch self {
        case .json: Self.appendJSON(record, &clock, to: &line)
        case .text: Self.appendText(record, &clock, to: &line)
        }
    }

    /// Longer paths and agents are cut in the log: the bound on a line.
    private static let pathLimit = 4096
    private static let textLimit = 512

    private static func appendJSON(_ record: RequestRecord, _ clock: inout LineClock, to line: inout [UInt8]) {
        LineText.append("{\"time\":\"", to: &line)
        clock.append(record.startedAt, to: &line)
        LineText.append("\",\"request_id\":\"", to: &line)
        record.requestID.append(to: &line)
        LineText.append("\",\"client\":", to: &line)
        LineText.appendQuoted(record.clientAddress, limit: textLimit, to: &line)
        LineText.append(",\"principal\":\"", to: &line)
        LineText.append(record.principal, to: &line)
        LineText.append("\",\"method\":", to: &line)
        LineText.appendQuoted(record.method, limit: 32, to: &line)
        LineText.append(",\"path\":\"", to: &line)
        appendPath(record.path, to: &line)
        LineText.append("\",\"operation\":\"", to: &line)
        LineText.append(record.operation, to: &line)
        line.append(UInt8(ascii: "\""))
        if let copied = record.copied {
            LineText.append(",\"copied_from\":", to: &line)
            LineText.appendQuoted(Array(copied.bucket.utf8) + [UInt8(ascii: "/")] + copied.key, limit: 1536, to: &line)
        }
        LineText.append(",\"status\":", to: &line)
        LineText.append(record.status, to: &line)
        LineText.append(",\"bytes_in\":", to: &line)
        LineText.append(record.bytesIn, to: &line)
        LineText.append(",\"bytes_out\":", to: &line)
        LineText.append(record.bytesOut, to: &line)
        LineText.append(",\"duration_ms\":", to: &line)
        LineText.appendMilliseconds(record.duration, to: &line)
        if let backend = record.backend {
            LineText.append(",\"backend\":", to: &line)
            LineText.appendQuoted(backend, limit: textLimit, to: &line)
        }
        if let time = record.timeToFirstByte {
            LineText.append(",\"backend_ms\":", to: &line)
            LineText.appendMilliseconds(time, to: &line)
        }
        LineText.append(",\"verdict\":\"", to: &line)
        LineText.append(record.verdict.name, to: &line)
        line.append(UInt8(ascii: "\""))
        if !record.reason.isEmpty {
            LineText.append(",\"reason\":", to: &line)
            LineText.appendQuoted(record.reason, limit: textLimit, to: &line)
        }
        if let agent = record.userAgent {
            LineText.append(",\"user_agent\":", to: &line)
            LineText.appendQuoted(agent, limit: textLimit, to: &line)
        }
        LineText.append("}\n", to: &line)
    }

    private static func appendText(_ record: RequestRecord, _ clock: inout LineClock, to line: inout [UInt8]) {
        clock.append(record.startedAt, to: &line)
        LineText.append(" ", to: &line)
        LineText.append(record.status, to: &line)
        LineText.append(" ", to: &line)
        LineText.appendEscaped(record.method.utf8, limit: 32, to: &line)
        LineText.append(" ", to: &line)
        appendPath(record.path, to: &line)
        LineText.append(" ", to: &line)
        LineText.appendMilliseconds(record.duration, to: &line)
        LineText.append("ms in=", to: &line)
        LineText.append(record.bytesIn, to: &line)
        LineText.append(" out=", to: &line)
        LineText.append(record.bytesOut, to: &line)
        LineText.append(" ", to: &line)
        LineText.append(record.principal, to: &line)
        LineText.append("@", to: &line)
        LineText.appendEscaped(record.clientAddress, limit: textLimit, to: &line)
        LineText.append(" ", to: &line)
        LineText.append(record.operation, to: &line)
        if let copied = record.copied {
            LineText.append(" from=", to: &line)
            LineText.appendEscaped(copied.bucket.utf8, limit: 255, to: &line)
            LineText.append("/", to: &line)
            LineText.appendEscaped(copied.key, limit: 1024, to: &line)
        }
        if let backend = record.backend {
            LineText.append(" backend=", to: &line)
            LineText.appendEscaped(backend.utf8, limit: textLimit, to: &line)
        }
        switch record.verdict {
        case .allowed, .undecided: break
        case .denied, .unauthenticated, .limited:
            LineText.append(" ", to: &line)
            LineText.append(record.verdict.name, to: &line)
        }
        if !record.reason.isEmpty {
            LineText.append(" (", to: &line)
            LineText.appendEscaped(record.reason.utf8, limit: textLimit, to: &line)
            LineText.append(")", to: &line)
        }
        LineText.append(" id=", to: &line)
        record.requestID.append(to: &line)
        LineText.append("\n", to: &line)
    }

    /// A path, without what is secret in it: the token of a shared link is its credential (product page, section 8).
    private static func appendPath(_ path: [UInt8], to line: inout [UInt8]) {
        let link: StaticString = "/-/l/"
        let isLink = link.withUTF8Buffer { path.starts(with: $0) }
        guard isLink else { return LineText.appendEscaped(path, limit: pathLimit, to: &line) }
        LineText.append("/-/l/***", to: &line)
        if let slash = path.dropFirst(5).firstIndex(of: UInt8(ascii: "/")) {
            LineText.appendEscaped(path[slash...], limit: pathLimit, to: &line)
        }
    }
}
