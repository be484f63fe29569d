import ArgumentParser
import Journal
import Settings
import WireFormats

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Work with the audit log.",
        subcommands: [Verify.self]
    )

    struct Verify: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check the chain of the audit log, its rotated files included.",
            discussion: """
                Each line holds the hash of the one before it, so that a line that was changed, removed, added or moved \
                shows. Without a path, it is the log of the configuration: --config, else gatehouse.toml in the current \
                folder, else the embedded default's (data/.gatehouse/audit.jsonl).

                Exit code 0: the chain holds; 1: it is broken, and where, or there is no such log; 64: the command \
                line was not understood.
                """
        )

        @Argument(help: "The newest file of the log; rotated ones beside it are found.") var path: String?
        @Option(name: [.short, .long], help: "The configuration whose log it is, where no path is given.")
        var config: String?
        @Option(help: "The folder that the instance was started with as --data.") var data: String?
        @Option(help: "The HMAC key: env:NAME or file:PATH.") var hmacKey: String?
        @Option(help: "The sequence number that the oldest line must have.") var start: UInt64?
        @Flag(help: "Print JSON.") var json = false

        func validate() throws {
            guard hmacKey.map({ $0.hasPrefix("env:") || $0.hasPrefix("file:") }) ?? true else {
                throw ValidationError("give the key as env:NAME or file:PATH, so that it stays out of the process list")
            }
        }

        func run() throws {
            let key = try hmacKey.map(secret)
            let path = try path ?? written()
            guard AuditVerifier.hasLog(at: path) else {
                throw CommandFailure("NoSuchFile", "there is no audit log \(path)")
            }
            let report = AuditVerifier.verify(path: path, key: key, expectedStart: start)
            print(json ? Self.json(report).rendered() : Self.text(report))
            guard report.broken == nil else { throw ExitCode(1) }
        }

        /// Where the instance writes it.
        private func written() throws(CommandFailure) -> String {
            guard let file = EmbeddedDefault.path(given: config) else {
                return (data ?? EmbeddedDefault.data) + "/" + EmbeddedDefault.auditLog
            }
            let destination: LogDestination
            do throws(ConfigurationProblem) {
                destination = try GatehouseConfiguration.auditLog(of: file, from: FileSystemSource(), data: data)
            } catch {
                throw CommandFailure("InvalidConfiguration", "\(file) can't be used", problems: [error])
            }
            guard case .file(let path) = destination else {
                throw CommandFailure("NoSuchFile", "\(file) has no audit log that is kept in a file")
            }
            return path
        }

        private func secret(_ reference: String) throws(CommandFailure) -> Secret<[UInt8]> {
            let source = FileSystemSource()
            if reference.hasPrefix("env:") {
                guard let value = source.environment(String(reference.dropFirst(4))) else {
                    throw CommandFailure("InvalidArgument", "\(reference): this environment variable is not set")
                }
                return Secret(Array(value.utf8))
            }
            do {
                var value = try source.read(String(reference.dropFirst(5)))
                while value.last == 0x0A || value.last == 0x0D { value.removeLast() }
                return Secret(value)
            } catch {
                throw CommandFailure("InvalidArgument", "\(reference): \(error.reason)")
            }
        }

        private static func text(_ report: AuditVerifier.Report) -> String {
            if let fault = report.broken { return "broken: \(fault)" }
            let range = report.lastSequence.map { "\(report.firstSequence ?? 0)...\($0)" } ?? "none"
            return
                "the chain holds: \(report.lines) lines (\(range)) in \(report.files) file(s), last hash \(report.lastHash)"
        }

        private static func json(_ report: AuditVerifier.Report) -> JSONValue {
            .object([
                ("ok", .boolean(report.broken == nil)),
                ("files", .integer(Int64(report.files))),
                ("lines", .integer(Int64(report.lines))),
                ("first_sequence", report.firstSequence.map { .integer(Int64(clamping: $0)) } ?? .null),
                ("last_sequence", report.lastSequence.map { .integer(Int64(clamping: $0)) } ?? .null),
                ("last_hash", .text(report.lastHash)),
                ("dropped_lines", .integer(Int64(report.droppedLines))),
                ("broken", report.broken.map { .text($0.description) } ?? .null),
            ])
        }
    }
}
