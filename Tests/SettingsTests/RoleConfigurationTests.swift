import Admission
import Identity
import Settings
import Testing
import WireFormats

private let role = """
    [[roles]]
    role_id = "github-actions-deployer"
    name = "GitHub Actions deploy role"
    trusted_oidc_issuers = ["https://token.actions.githubusercontent.com"]
    required_audiences = ["sts.files.example.com"]
    subject_conditions = ["repo:myorg/myapp:ref:refs/heads/*"]
    trusted_principals = []
    max_session_duration_secs = 3600
    [[roles.allowed_scopes]]
    bucket = "photos"
    prefixes = ["{repository_owner}/"]
    actions = ["read", "write"]
    """

private func roles(_ change: (String, String)...) -> String {
    account + change.reduce(role) { $0.replacing($1.0, with: $1.1) }
}

@Suite("[[roles]] and what they are named by")
struct RoleConfigurationTests {
    @Test("The contract's role is read, and its issuer added with discovery, for sessions alone")
    func contract() throws {
        let result = reading(roles())
        #expect(result.problems.isEmpty, "\(result.problems)")
        let configuration = try #require(result.configuration)
        let role = try #require(configuration.roles.first)
        #expect(role.role.id == "github-actions-deployer" && role.name == "GitHub Actions deploy role")
        #expect(role.role.longestSession == .seconds(3600))
        #expect(
            role.role.trust.refusal(
                issuer: "https://token.actions.githubusercontent.com",
                audiences: ["sts.files.example.com"],
                subject: "repo:myorg/myapp:ref:refs/heads/main"
            ) == nil
        )
        let provider = try #require(configuration.sessionProviders.first)
        #expect(provider.uses == [.sts] && provider.audiences == ["sts.files.example.com"])
        guard case .discovery(let url) = provider.keys else {
            Issue.record("no discovery")
            return
        }
        #expect(url.description == "https://token.actions.githubusercontent.com")
        let shown = configuration.effective.rendered()
        #expect(shown.contains("repo:myorg/myapp:ref:refs/heads/*"))
    }

    @Test("An identity provider of the file is taken as it is, and one issuer of two roles is one")
    func providers() throws {
        let entry =
            "[[identity_providers]]\nname = \"ci\"\nissuer = \"https://token.actions.githubusercontent.com\"\n"
            + "audiences = [\"sts.files.example.com\"]\nuse = [\"sts\"]\n"
        #expect(try #require(reading(roles() + "\n" + entry).configuration).sessionProviders.isEmpty)
        let other = role.replacing("github-actions-deployer", with: "other").replacing("sts.files", with: "b.files")
        let two = try #require(reading(roles() + "\n" + other).configuration)
        #expect(two.sessionProviders.map(\.audiences) == [["sts.files.example.com", "b.files.example.com"]])
        #expect(two.roles.map(\.role.id) == ["github-actions-deployer", "other"])
    }

    @Test("Buckets and policies may name roles that are there")
    func references() throws {
        let bucket =
            "[[buckets]]\nname = \"data\"\naccount = \"minio\"\nallowed_roles = [\"github-actions-deployer\"]\n"
        let policy =
            "[[policies]]\nname = \"p\"\napplies_to = [\"role:github-actions-deployer:*\"]\ndocument = '''"
            + readPolicy + "'''\n"
        let result = reading(roles() + "\n" + bucket + policy)
        #expect(result.problems.isEmpty, "\(result.problems)")
        #expect(result.configuration?.buckets.first?.allowedRoles?.map(\.value) == ["github-actions-deployer"])
    }

    @Test("Session keys come from the file or from the environment alone, and never show")
    func sessionKeys() throws {
        let (one, two) = (Base64.encode(Array(repeating: 1, count: 32)), Base64.encode(Array(repeating: 2, count: 32)))
        #expect(reading("", variables: ["SESSION_TOKEN_KEY": one]).configuration?.keys.sessionKeys.count == 1)
        let text = "[keys]\nsession_token_keys = [\"env:NEW\", \"env:OLD\"]"
        let result = reading(text, variables: ["NEW": two, "OLD": one, "SESSION_TOKEN_KEY": "broken"])
        let configuration = try #require(result.configuration)
        #expect(
            configuration.keys.sessionKeys.map(\.id) == [2, 1].map { SessionKey(Array(repeating: $0, count: 32))?.id }
        )
        #expect(!configuration.effective.rendered().contains(one) && !String(reflecting: result).contains(two))
        #expect(reading("[keys]\nsession_token_keys = []").configuration?.keys.sessionKeys.isEmpty == true)
    }

    @Test(
        "What is wrong is said with its place",
        arguments: [
            Mistake(roles(("role_id = \"github-actions-deployer\"\n", "")), 6, "roles[0].role_id", "is required"),
            Mistake(roles(("github-actions-deployer", "a/b")), 7, "roles[0].role_id", "is not a role id"),
            Mistake(roles(("github-actions-deployer", "self")), 7, "roles[0].role_id", "caller's own rights"),
            Mistake(roles() + "\n" + role, 19, "roles[1].role_id", "is given already"),
            Mistake(
                roles(("subject_conditions = [\"repo:myorg/myapp:ref:refs/heads/*\"]\n", "")),
                6,
                "roles[0].subject_conditions",
                "is required beside trusted_oidc_issuers",
                "[\"*\"]"
            ),
            Mistake(
                roles(("[\"https://token.actions.githubusercontent.com\"]", "[]")),
                6,
                "roles[0]",
                "nobody may assume this role"
            ),
            Mistake(
                roles(("[\"sts.files.example.com\"]", "[]")),
                10,
                "roles[0].required_audiences",
                "is required: the issuer"
            ),
            Mistake(
                roles(("https://token", "http://token")),
                9,
                "roles[0].trusted_oidc_issuers[0]",
                "can't be asked for its keys"
            ),
            Mistake(roles(("3600", "60")), 13, "roles[0].max_session_duration_secs", "must be between 900 and 43200"),
            Mistake(
                roles(("trusted_principals = []", "trusted_principals = [\"alice\"]")),
                12,
                "roles[0].trusted_principals[0]",
                "user:alice"
            ),
            Mistake(
                roles(("trusted_principals = []", "trusted_principals = [\"anonymous\"]")),
                12,
                "roles[0].trusted_principals[0]",
                "without a credential"
            ),
            Mistake(
                roles(("trusted_principals = []", "trusted_principals = [\"user:nobody\"]")),
                12,
                "roles[0].trusted_principals[0]",
                "there is no user"
            ),
            Mistake(
                roles(("\"photos\"\nprefixes", "\"fotos\"\nprefixes")),
                15,
                "roles[0].allowed_scopes[0].bucket",
                "did you mean"
            ),
            Mistake(roles(("\"read\"", "\"reed\"")), 17, "roles[0].allowed_scopes[0].actions[0]", "is no action"),
            Mistake(
                roles(("{repository_owner}", "{repository_owner")),
                16,
                "roles[0].allowed_scopes[0].prefixes[0]",
                "without a }"
            ),
            Mistake(roles(("name = \"GitHub", "nam = \"GitHub")), 8, "roles[0].nam", "did you mean \"name\"?"),
            Mistake(
                roles()
                    + "\n[[buckets]]\nname = \"data\"\naccount = \"minio\"\nallowed_roles = [\"github-actions-deploy\"]",
                21,
                "buckets[0].allowed_roles[0]",
                "there is no role",
                "github-actions-deployer"
            ),
            Mistake(
                roles()
                    + "\n[[identity_providers]]\nname = \"ci\"\nissuer = \"https://token.actions.githubusercontent.com\"\n"
                    + "audiences = [\"x\"]\nuse = [\"bearer\"]",
                9,
                "roles[0].trusted_oidc_issuers[0]",
                "is not for sessions",
                "add \"sts\""
            ),
            Mistake(
                "[keys]\nsession_token_keys = [\"c2hvcnQ=\"]",
                2,
                "keys.session_token_keys[0]",
                "32 bytes",
                "key new session"
            ),
            Mistake(
                "[keys]\nsession_token_keys = [\"\(Base64.encode(Array(repeating: 1, count: 32)))\", \"\(Base64.encode(Array(repeating: 1, count: 32)))\"]",
                2,
                "keys.session_token_keys[1]",
                "is the same key"
            ),
        ]
    )
    func mistakes(mistake: Mistake) throws {
        let result = reading(mistake.text)
        #expect(result.configuration == nil)
        let problem = try #require(result.errors.first)
        #expect(problem.origin.line == mistake.line && "\(problem.origin.path)" == mistake.key, "\(problem)")
        for fragment in mistake.fragments { #expect("\(problem)".contains(fragment), "\(problem)") }
    }
}
