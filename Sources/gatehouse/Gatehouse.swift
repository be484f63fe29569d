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

            With --json, what is answered is JSON on standard output; so is why a command failed: \
            {"error": {"code": ..., "message": ...}}.
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
        var json = false
        do {
            var command = try parseAsRoot()
            json = (command as? any AnswersInJSON)?.json ?? false
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as CommandFailure {
            failure.tell(asJSON: json)
            Foundation.exit(ExitCode.failure.rawValue)
        } catch {
            // What ends a command otherwise is the parser's: a request for help, words that were not understood.
            guard exitCode(for: error) == .failure, !(error is ExitCode) else { exit(withError: error) }
            CommandFailure("InternalError", "\(error)").tell(asJSON: json)
            Foundation.exit(ExitCode.failure.rawValue)
        }
    }
}
