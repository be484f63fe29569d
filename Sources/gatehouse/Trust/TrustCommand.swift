import ArgumentParser
import Identity
import Settings

struct TrustCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "trust",
        abstract: "What a cloud's administrator sets up so that it trusts Gatehouse, and whether it does.",
        subcommands: [AWS.self, Azure.self, GCP.self, Check.self]
    )

    struct Options: ParsableArguments {
        @Argument(help: "The bucket, as clients call it.") var bucket: String
        @Option(name: [.short, .long], help: "The configuration file.") var config = "gatehouse.toml"
        @Flag(help: "Only read permissions.") var readOnly = false
        @Flag(help: "Print JSON.") var json = false

        func show<Trust: CloudTrust>(_ kind: Trust.Type) throws {
            let configuration = try GatehouseConfiguration.ofCommand(config)
            let trust = try Trust(of: bucket, in: configuration, permissions: readOnly ? .read : .readAndWrite)
            print(json ? trust.json.rendered() : trust.text)
        }
    }

    struct AWS: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            commandName: "aws",
            abstract: "Print the identity provider, the role's trust policy and its permissions for a bucket.",
            discussion: """
                The bucket has auth_type "oidc" and an oidc_role_arn; the policies name our issuer, subject and audience \
                and the bucket at the store, and nothing more. What is printed holds no secret.

                Exit codes: 0 printed; 1 the bucket is none of that kind, or the configuration has errors; 64 the command \
                line was not understood.
                """
        )

        @OptionGroup var options: Options
        var json: Bool { options.json }

        func run() throws { try options.show(AWSTrust.self) }
    }

    struct Azure: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            commandName: "azure",
            abstract: "Print the federated credential and the role assignment for a bucket at Azure.",
            discussion: """
                The bucket has backend_type "azure", auth_type "oidc", a tenant_id and a client_id. What is printed trusts \
                our issuer and subject alone, for that container alone, and holds no secret.

                Exit codes: 0 printed; 1 the bucket is none of that kind, or the configuration has errors; 64 the command \
                line was not understood.
                """
        )

        @OptionGroup var options: Options
        var json: Bool { options.json }

        func run() throws { try options.show(AzureTrust.self) }
    }

    struct GCP: ParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            commandName: "gcp",
            abstract: "Print the workload identity provider and the bindings for a bucket at Google.",
            discussion: """
                The bucket has backend_type "gcs", auth_type "oidc" and a workload_provider. What is printed binds our \
                subject alone, to that bucket alone, and holds no secret.

                Exit codes: 0 printed; 1 the bucket is none of that kind, or the configuration has errors; 64 the command \
                line was not understood.
                """
        )

        @OptionGroup var options: Options
        var json: Bool { options.json }

        func run() throws { try options.show(GoogleTrust.self) }
    }

    struct Check: AsyncParsableCommand, AnswersInJSON {
        static let configuration = CommandConfiguration(
            commandName: "check",
            abstract:
                "Verify what federated stores rest on: our documents at the issuer, the exchange, a probe object.",
            discussion: """
                Fetches the discovery document and the keys from where the stores' clouds fetch them, compares them with \
                the keys of the configuration, exchanges a token, has a URL signed, and writes, reads and deletes an \
                object below .gatehouse/doctor/ in each bucket. Gatehouse must be running at its issuer.

                Exit codes: 0 everything works; 1 something does not; 64 the command line was not understood.
                """
        )

        @Argument(help: "The buckets; none: all whose credential is exchanged for our token.") var buckets: [String] =
            []
        @Option(name: [.short, .long], help: "The configuration file.") var config = "gatehouse.toml"
        @Flag(help: "Write nothing.") var readOnly = false
        @Flag(help: "Print JSON.") var json = false

        func run() async throws {
            let configuration = try GatehouseConfiguration.ofCommand(config)
            guard let provider = configuration.keys.provider else {
                throw CommandFailure(
                    "NoProvider",
                    """
                    there is no key to sign our own tokens with, so nobody can trust them: make one with \
                    'gatehouse key new oidc', and give it as [keys] oidc_provider_keys or OIDC_PROVIDER_KEY
                    """
                )
            }
            let federated = configuration.buckets.filter { $0.backend.credentialSource?.needsOwnTokens == true }
            let examinations = try await Practice.asking(configuration) { practice in
                var examinations = [await IssuerExamination(provider, practice.documents).examination]
                for name in buckets.isEmpty ? federated.map(\.name) : buckets {
                    examinations.append(
                        try await DoctorCommand.examine(name, practice, readOnly ? .readingOnly : .withProbeObject)
                    )
                }
                return examinations
            }
            guard Examination.show(examinations, asJSON: json) else { throw ExitCode(1) }
        }
    }
}
