import ArgumentParser
import Foundation

@main
struct Gatehouse: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gatehouse",
        abstract: "One front door to private object storage.",
        discussion: """
            Clients speak S3 (or send an API key) to Gatehouse; Gatehouse decides who may touch which object and \
            carries the bytes from and to the stores behind it.

            Exit codes: 0 done; 1 the answer is no (an invalid configuration, a broken audit chain, a server that could \
            not start); 64 the command line was not understood.

            With --json, what is answered is JSON on standard output; so is why a command failed, and that it was not \
            understood: {"error": {"code": ..., "message": ...}}.
            """,
        version: Version.current,
        subcommands: [
            ServeCommand.self, CheckCommand.self, PresignCommand.self, ExplainCommand.self, GatewayConfigCommand.self,
            DoctorCommand.self, TrustCommand.self, GrantCommand.self, RevokeCommand.self, KeyCommand.self,
            AuditCommand.self,
            VersionCommand.self,
        ]
    )

    /// Runs what the command line names. What goes wrong then is told here for all commands.
    static func main() async {
        var json = CommandLine.arguments.dropFirst().prefix { $0 != "--" }.contains("--json")
        var named: (any ParsableCommand.Type)?
        do {
            var command = try parseAsRoot()
            json = (command as? any AnswersInJSON)?.json ?? json
            named = type(of: command)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            failure.tell(asJSON: json)
            Foundation.exit(ExitCode.failure.rawValue)
        } catch {
            if let named { notUnderstood(error, by: named, asJSON: json) }
            // What ends a command otherwise is the parser's: a request for help, words that were not understood.
            guard exitCode(for: error) == .failure, !(error is ExitCode) else {
                if json, exitCode(for: error) == .validationFailure {
                    CommandFailure("Usage", message(for: error)).tell(asJSON: true)
                    Foundation.exit(ExitCode.validationFailure.rawValue)
                }
                exit(withError: error)
            }
            CommandFailure("InternalError", "\(error)").tell(asJSON: json)
            Foundation.exit(ExitCode.failure.rawValue)
        }
    }

    /// Ends with 64 where a command that could be read is none: one of a group's has to be named, or what it takes is not
    /// there. Returns where that is not what went wrong.
    private static func notUnderstood(_ error: any Error, by command: any ParsableCommand.Type, asJSON json: Bool) {
        let usage = usageString(for: command)
        switch error {
        case is CleanExit where !command.configuration.subcommands.isEmpty:
            if json {
                CommandFailure("Usage", "a subcommand is missing: \(usage)").tell(asJSON: true)
            } else {
                StandardError.write(helpMessage(for: command))
            }
        case let error as ValidationError:
            if json {
                CommandFailure("Usage", error.message).tell(asJSON: true)
            } else {
                StandardError.write("Error: \(error.message)\nUsage: \(usage)")
            }
        default: return
        }
        Foundation.exit(ExitCode.validationFailure.rawValue)
    }
}
