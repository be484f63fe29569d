import ArgumentParser

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
            """,
        version: Version.current,
        subcommands: [
            ServeCommand.self, CheckCommand.self, PresignCommand.self, ExplainCommand.self, GatewayConfigCommand.self,
            DoctorCommand.self, TrustCommand.self, GrantCommand.self, RevokeCommand.self, KeyCommand.self,
            AuditCommand.self,
            VersionCommand.self,
        ]
    )
}
