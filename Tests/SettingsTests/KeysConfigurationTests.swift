import Identity
import Samples
import Settings
import Testing

@Suite("[keys]: what our own tokens are signed with")
struct KeysConfigurationTests {
    private static let issuer = "https://s3proxy.example.com"

    @Test("The environment alone is enough")
    func environment() throws {
        let result = reading(
            "",
            variables: ["OIDC_PROVIDER_KEY": PEMSample.pkcs8, "OIDC_PROVIDER_ISSUER": Self.issuer]
        )
        #expect(result.problems.isEmpty)
        let provider = try #require(result.configuration?.keys.provider)
        #expect(provider.issuer == Self.issuer && provider.keys.count == 1)
    }

    @Test("The file is heard before the environment, and the public URL is an issuer too")
    func file() throws {
        let text = """
            [server]
            public_url = "https://files.example.com"
            [keys]
            oidc_provider_keys = ["file:oidc.pem"]
            """
        let result = reading(
            text,
            beside: ["oidc.pem": PEMSample.pkcs8 + "\n"],
            variables: ["OIDC_PROVIDER_KEY": "broken"]
        )
        #expect(result.problems.isEmpty)
        #expect(result.configuration?.keys.provider?.issuer == "https://files.example.com")
        let shown = try #require(result.configuration).effective.rendered()
        #expect(shown.contains("oidc_provider_issuer") && !shown.contains("BEGIN"))
    }

    @Test("A bad key that the environment alone gives is named by its variable")
    func badVariable() {
        let bad = reading("", variables: ["OIDC_PROVIDER_KEY": "broken", "SESSION_TOKEN_KEY": "short"]).errors.map(
            \.message
        )
        #expect(bad.contains { $0.hasPrefix("the environment variable OIDC_PROVIDER_KEY is not a private key in PEM") })
        #expect(bad.contains { $0.hasPrefix("the environment variable SESSION_TOKEN_KEY is not 32 bytes") })
        let inFile = reading("[keys]\noidc_provider_keys = [\"broken\"]", variables: ["OIDC_PROVIDER_KEY": "broken"])
        #expect(inFile.errors.allSatisfy { !$0.message.contains("OIDC_PROVIDER_KEY is") } && !inFile.errors.isEmpty)
    }

    @Test("Without keys there is no provider")
    func none() {
        #expect(reading("").configuration?.keys.provider == nil)
        #expect(reading("[keys]\noidc_provider_keys = []").configuration?.keys.provider == nil)
    }

    @Test(
        "What is wrong is said with its place",
        arguments: [
            Mistake(
                "[keys]\noidc_provider_keys = [\"env:KEY\", \"env:KEY\"]\noidc_provider_issuer = \"https://a.example\"",
                2,
                "keys.oidc_provider_keys[1]",
                "is the same key"
            ),
            Mistake(
                "[keys]\noidc_provider_keys = [\"secret\"]",
                2,
                "keys.oidc_provider_keys[0]",
                "PEM",
                "key new oidc"
            ),
            Mistake("[keys]\noidc_provider_keys = [\"env:KEY\"]", 1, "keys.oidc_provider_issuer", "is required"),
            Mistake("[keys]\noidc_provider_keys = [\"\"]", 2, "keys.oidc_provider_keys[0]", "must not be empty"),
            Mistake(
                "[keys]\noidc_provider_issuer = \"https://a.example\"",
                2,
                "keys.oidc_provider_issuer",
                "has no key to sign with",
                "OIDC_PROVIDER_KEY"
            ),
            Mistake(
                "[keys]\noidc_provider_keys = [\"env:KEY\"]\noidc_provider_issuer = \"http://files.example.com\"",
                3,
                "keys.oidc_provider_issuer",
                "is not a URL that keys can be fetched from"
            ),
            Mistake("[keys]\noidc_provider_key = \"x\"", 2, "keys.oidc_provider_key", "did you mean"),
        ]
    )
    func mistakes(mistake: Mistake) throws {
        let result = reading(mistake.text, variables: ["KEY": PEMSample.pkcs8])
        #expect(result.configuration == nil)
        let problem = try #require(result.problems.first)
        #expect(problem.origin.line == mistake.line && "\(problem.origin.path)" == mistake.key, "\(problem)")
        for fragment in mistake.fragments { #expect("\(problem)".contains(fragment), "\(problem)") }
        #expect(result.problems.count == 1 && !"\(problem)".contains("BEGIN"))
    }
}
