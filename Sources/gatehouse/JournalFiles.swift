import Journal
import Settings
import WireFormats

/// The logs that the configuration asks for, open.
struct JournalFiles: Sendable {
    let access: AccessLog?
    let audit: AuditLog?

    init(_ configuration: GatehouseConfiguration) throws(StartFailure) {
        access = try Self.open("access_log") { () throws(LogFileError) in
            try Self.accessLog(configuration.accessLog)
        }
        audit = try Self.open("audit") { () throws(LogFileError) in try Self.auditLog(configuration.audit) }
    }

    private static func open<Log>(_ section: String, _ log: () throws(LogFileError) -> Log) throws(StartFailure) -> Log
    {
        do {
            return try log()
        } catch {
            throw StartFailure("[\(section)] path: \(error)")
        }
    }

    private static func accessLog(_ settings: AccessLogConfiguration) throws(LogFileError) -> AccessLog? {
        if settings.destination == .nowhere { return nil }
        let path = settings.destination.description
        let format: AccessLogFormat =
            switch settings.format {
            case .auto: AccessLog.automaticFormat(path: path)
            case .json: .json
            case .text: .text
            }
        return try AccessLog(path: path, format: format)
    }

    private static func auditLog(_ settings: AuditConfiguration) throws(LogFileError) -> AuditLog? {
        if settings.destination == .nowhere { return nil }
        return try AuditLog(
            AuditLog.Settings(
                path: settings.destination.description,
                rotateSize: Int(settings.rotateSize),
                keep: settings.keep,
                hmacKey: settings.hmacKey.map { Secret(Array($0.reveal().utf8)) }
            ),
            now: Clock.now
        )
    }

    /// After logrotate has moved the access log away. A failure keeps the old file and is said.
    func reopen() throws(LogFileError) {
        try access?.reopen()
    }

    func close() async {
        await access?.flush()
        await audit?.close()
    }
}
