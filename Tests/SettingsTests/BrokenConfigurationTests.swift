import Settings
import Testing

/// A configuration with one mistake, and what must be said about it.
struct Mistake: Sendable, CustomTestStringConvertible {
    let text: String
    let line: Int?
    let key: String
    /// Parts of the message and suggestion.
    let fragments: [String]

    init(_ text: String, _ line: Int?, _ key: String, _ fragments: String...) {
        self.text = text
        self.line = line
        self.key = key
        self.fragments = fragments
    }

    var testDescription: String { key + ": " + fragments.joined(separator: ", ") }
}

private let readPolicy =
    #"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#

private let account = """
    [[accounts]]
    name = "minio"
    buckets = ["photos"]
    [accounts.backend_options]
    endpoint = "http://127.0.0.1:8333"

    """  // 6 lines

private func bucket(_ lines: String, options: String = "endpoint = \"http://store\"") -> String {
    "[[buckets]]\nname = \"data\"\n" + lines + "\n[buckets.backend_options]\n" + options
}

private func user(_ lines: String) -> String {
    account + "[[users]]\nname = \"alice\"\napi_key = \"0123456789abcdef\"\n" + lines
}

private func credential(_ lines: String) -> String {
    account
        + "[[credentials]]\naccess_key_id = \"AKEXAMPLE\"\nsecret_access_key = \"0123456789abcdef\"\n"
        + "principal_name = \"app\"\n" + lines
}

private func policy(_ lines: String) -> String {
    user("[[policies]]\nname = \"p\"\n") + lines
}

@Suite struct BrokenConfigurationTests {
    static let syntax: [Mistake] = [
        Mistake("[server]\nlisten = ", 2, "", "not valid TOML"),
        Mistake("[server]\nlisten = \"a\"\nlisten = \"b\"", 3, "", "not valid TOML"),
        Mistake("[server\n", 1, "", "not valid TOML"),
        Mistake("a = \"x\\u0000\"", 1, "", "NUL"),
        Mistake("a = 1\n# \u{0}", 2, "", "NUL"),
    ]

    static let server: [Mistake] = [
        Mistake("servr = 1", 1, "servr", "unknown key", "did you mean \"server\"?"),
        Mistake("listen = \"127.0.0.1:9000\"", 1, "listen", "unknown key", "belongs in [server]"),
        Mistake("server = 1", 1, "server", "must be a table, not an integer", "[server]"),
        Mistake("[server]\nlisen = \"127.0.0.1:9000\"", 2, "server.lisen", "did you mean \"listen\"?"),
        Mistake("[server]\nlisten = 9000", 2, "server.listen", "must be a string, not an integer"),
        Mistake("[server]\nlisten = \"9000\"", 2, "server.listen", "is not an address with a port"),
        Mistake("[server]\nlisten = \":9000\"", 2, "server.listen", "is not an address with a port"),
        Mistake("[server]\nlisten = \"::1:9000\"", 2, "server.listen", "[::1]:9000"),
        Mistake("[server]\nlisten = \"127.0.0.1:99999\"", 2, "server.listen", "is not an address"),
        Mistake("[server]\nlisten = \"300.0.0.1:80\"", 2, "server.listen", "is not an address"),
        Mistake("[server]\nadmin_listen = \"127.0.0.1:9000\"", 2, "server.admin_listen", "public listener too"),
        Mistake("[server]\npublic_url = \"files.example.com\"", 2, "server.public_url", "is not a URL"),
        Mistake("[server]\npublic_url = \"https://e.com/base\"", 2, "server.public_url", "no path"),
        Mistake("[server]\npublic_url = \"https://u:p@e.com\"", 2, "server.public_url", "is not a URL"),
        Mistake("[server]\ndomains = \"s3.example.com\"", 2, "server.domains", "array", "[\"s3.example.com\"]"),
        Mistake("[server]\ndomains = [\"a.b\",\n \".c\"]", 3, "server.domains[1]", "is not a domain"),
        Mistake("[server]\nregion = \"\"", 2, "server.region", "must not be empty"),
        Mistake("[server]\nmax_object_size = \"5 TB5\"", 2, "server.max_object_size", "is not a size", "5TiB"),
        Mistake("[server]\nmax_object_size = 0", 2, "server.max_object_size", "must be between"),
        Mistake("[server]\ntrusted_proxies = [\"10.0.0.0/33\"]", 2, "server.trusted_proxies[0]", "10.0.0.0/8"),
        Mistake("[server]\ntrusted_proxies = [10]", 2, "server.trusted_proxies[0]", "must be a string"),
        Mistake("[server]\nproxy_protocol = true", 2, "server.proxy_protocol", "needs trusted_proxies"),
        Mistake("[server]\nstrict_keys = \"yes\"", 2, "server.strict_keys", "must be true or false"),
        Mistake("[server]\nheader_timeout = 10", 2, "server.header_timeout", "with its unit", "\"10s\""),
        Mistake("[server]\nidle_timeout = \"75\"", 2, "server.idle_timeout", "is not a time", "75s"),
        Mistake("[server]\nidle_timeout = \"0s\"", 2, "server.idle_timeout", "is not a time"),
        Mistake("[server]\ndrain_timeout = \"-1s\"", 2, "server.drain_timeout", "is not a time"),
        Mistake("[server]\nmax_connections = 0", 2, "server.max_connections", "must be between 1 and"),
        Mistake("[server]\nmax_header_bytes = \"1GiB\"", 2, "server.max_header_bytes", "between 1KiB and 1MiB"),
        Mistake("[server.tls]\nprivate_key = \"-----BEGIN X\"", 1, "server.tls.certificate", "is required"),
        Mistake(
            "[server.tls]\ncertificate = \"tls.crt\"\nprivate_key = \"-----BEGIN X\"",
            2,
            "server.tls.certificate",
            "is not PEM text",
            "file:PATH"
        ),
        Mistake(
            "[server.tls]\ncertificate = \"file:no.crt\"\nprivate_key = \"-----BEGIN X\"",
            2,
            "server.tls.certificate",
            "cannot read no.crt: no such file"
        ),
        Mistake("[[server.cors]]\nallowed_origins = [\"*\"]", 1, "server.cors", "not supported by this version"),
        Mistake("[admin]\nallowed_hosts = [\"http://x\"]", 2, "admin.allowed_hosts[0]", "is not a host"),
        Mistake("[state]\nstore = \"redis://host:6379/0\"", 2, "state.store", "not supported by this version"),
        Mistake("[state]\nstore = \"postgres:x\"", 2, "state.store", "is not a store", "sqlite:PATH"),
        Mistake("[state]\nmax_staleness = true", 2, "state.max_staleness", "must be a string, not a boolean"),
    ]

    static let stores: [Mistake] = [
        Mistake("[accounts]\nname = \"x\"", 1, "accounts", "must be an array of tables", "[[accounts]]"),
        Mistake("[[accounts]]\n[accounts.backend_options]\nregion = \"x\"", 1, "accounts[0].name", "is required"),
        Mistake("[[accounts]]\nname = \"a\"", 1, "accounts[0].backend_options.endpoint", "is required", "region"),
        Mistake(
            account + "[[accounts]]\nname = \"minio\"\n[accounts.backend_options]\nregion = \"x\"",
            7,
            "accounts[1].name",
            "already, at gatehouse.toml:2"
        ),
        Mistake(
            account + "[[accounts]]\nname = \"b\"\nbuckets = [\"photos\"]\n[accounts.backend_options]\nregion = \"x\"",
            8,
            "accounts[1].buckets[0]",
            "bucket \"photos\" is claimed already, at gatehouse.toml:3"
        ),
        Mistake(
            account.replacing("photos", with: "*")
                + "[[accounts]]\nname = \"b\"\nbuckets = [\"*\"]\n[accounts.backend_options]\nregion = \"x\"",
            8,
            "accounts[1].buckets[0]",
            "every other bucket is claimed already"
        ),
        Mistake(account.replacing("photos", with: "Photos"), 3, "accounts[0].buckets[0]", "is not a bucket name"),
        Mistake(account + "bucket_name = \"x\"", 6, "accounts[0].backend_options.bucket_name", "[[buckets]]"),
        Mistake(
            account + "[[buckets]]\nname = \"photos\"\naccount = \"minio\"",
            3,
            "accounts[0].buckets[0]",
            "bucket \"photos\" is claimed already, at gatehouse.toml:7"
        ),
        Mistake(
            account + "[[buckets]]\nname = \"data\"\naccount = \"mino\"",
            8,
            "buckets[0].account",
            "there is no account \"mino\"",
            "did you mean \"minio\"?"
        ),
        Mistake(
            account + "[[buckets]]\nname = \"data\"\nacount = \"minio\"\n[buckets.backend_options]\nregion = \"x\"",
            8,
            "buckets[0].acount",
            "unknown key",
            "did you mean \"account\"?"
        ),
        Mistake(
            account + "[[buckets]]\nname = \"data\"\naccount = \"minio\"\nbackend_type = \"file\"",
            9,
            "buckets[0].backend_type",
            "account \"minio\" is \"s3\""
        ),
        Mistake("[[buckets]]\n[buckets.backend_options]\nregion = \"x\"", 1, "buckets[0].name", "is required"),
        Mistake("[[buckets]]\nname = \"da_ta\"\nbackend_options.region = \"x\"", 2, "buckets[0].name", "bucket name"),
        Mistake(bucket("backend_type = \"azure\""), 3, "buckets[0].backend_type", "not supported by this version"),
        Mistake(bucket("backend_type = \"gs\""), 3, "buckets[0].backend_type", "not supported by this version"),
        Mistake(bucket("backend_type = \"S3\""), 3, "buckets[0].backend_type", "did you mean \"s3\"?"),
        Mistake(bucket("backend_prefix = \"../x\""), 3, "buckets[0].backend_prefix", "is not a prefix"),
        Mistake(bucket("anonymous_access = 1"), 3, "buckets[0].anonymous_access", "must be true or false"),
        Mistake(bucket("allowed_roles = \"r\""), 3, "buckets[0].allowed_roles", "must be an array of strings"),
        Mistake(bucket("verify_payload = \"never\""), 3, "buckets[0].verify_payload", "\"always\", \"backend\""),
        Mistake(bucket("checksums = \"pas\""), 3, "buckets[0].checksums", "did you mean \"pass\"?"),
        Mistake(bucket("frame_options = \"ALLOW\""), 3, "buckets[0].frame_options", "DENY"),
        Mistake(bucket("skip_signature = true"), 3, "buckets[0].skip_signature", "has no effect"),
        Mistake(bucket("endpoint = \"http://x\""), 3, "buckets[0].endpoint", "belongs in backend_options"),
        Mistake(
            bucket("cors = { allowed_origins = [\"*\"] }"),
            3,
            "buckets[0].cors",
            "not supported by this version"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nskip_signature = true"),
            6,
            "buckets[0].backend_options.skip_signature",
            "has no effect",
            "unsigned exactly where"
        ),
        Mistake(
            bucket("", options: "endpoint = \"store:80\""),
            5,
            "buckets[0].backend_options.endpoint",
            "is not the URL of a store"
        ),
        Mistake(
            bucket("", options: "endpoint = \"http://store/path\""),
            5,
            "buckets[0].backend_options.endpoint",
            "no path"
        ),
        Mistake(bucket("", options: ""), 4, "buckets[0].backend_options.endpoint", "is required"),
        Mistake(
            bucket("", options: "region = \"x\"\naccess_key_id = \"A\""),
            4,
            "buckets[0].backend_options.secret_access_key",
            "is required beside access_key_id"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nsecret_access_key = \"A\""),
            4,
            "buckets[0].backend_options.access_key_id",
            "is required beside secret_access_key"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nsession_token = \"A\""),
            6,
            "buckets[0].backend_options.session_token",
            "is of no use"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\naccess_key_id = \"A\"\nsecret_access_key = \"env:UNSET\""),
            7,
            "buckets[0].backend_options.secret_access_key",
            "environment variable UNSET is not set"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"web-identity\""),
            6,
            "buckets[0].backend_options.auth_type",
            "not supported by this version"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nauth_type = \"statc\""),
            6,
            "buckets[0].backend_options.auth_type",
            "did you mean \"static\"?"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\noidc_role_arn = \"arn\""),
            6,
            "buckets[0].backend_options.oidc_role_arn",
            "auth_type \"oidc\"",
            "not supported by this version"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\naccount_name = \"a\""),
            6,
            "buckets[0].backend_options.account_name",
            "backend_type \"azure\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\npath = \"a\""),
            6,
            "buckets[0].backend_options.path",
            "belongs to backend_type \"file\""
        ),
        Mistake(
            bucket("backend_type = \"file\"", options: "bucket_name = \"x\""),
            4,
            "buckets[0].backend_options.path",
            "is required"
        ),
        Mistake(
            bucket("backend_type = \"file\"", options: "path = \"d\"\nregion = \"x\""),
            6,
            "buckets[0].backend_options.region",
            "belongs to backend_type \"s3\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\naddressing = \"vhost\""),
            6,
            "buckets[0].backend_options.addressing",
            "\"path\", \"virtual\""
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nbucket_name = \"a/b\""),
            6,
            "buckets[0].backend_options.bucket_name",
            "is not the name of a bucket"
        ),
        Mistake(
            bucket("", options: "region = \"x\"\nacces_key_id = \"a\""),
            6,
            "buckets[0].backend_options.acces_key_id",
            "did you mean \"access_key_id\"?"
        ),
        Mistake(bucket("", options: "region = \"a b\""), 5, "buckets[0].backend_options.region", "is not a region"),
        Mistake(
            bucket("", options: "region = \"x\"\nca_certificate = \"ca.pem\""),
            6,
            "buckets[0].backend_options.ca_certificate",
            "is not PEM text"
        ),
    ]

    static let callers: [Mistake] = [
        Mistake(account + "[[users]]\nname = \"alice\"", 6, "users[0].api_key", "is required", "api_key_sha256"),
        Mistake(user("api_key_sha256 = \"00\""), 9, "users[0].api_key_sha256", "stands beside api_key"),
        Mistake(
            account + "[[users]]\nname = \"alice\"\napi_key_sha256 = \"00\"",
            8,
            "users[0].api_key_sha256",
            "is not 64 hexadecimal digits"
        ),
        Mistake(account + "[[users]]\nname = \"a\"\napi_key = \"\"", 8, "users[0].api_key", "must not be empty"),
        Mistake(
            account + "[[users]]\nname = \"a\"\napi_key = \"with a space in it\"",
            8,
            "users[0].api_key",
            "a header field cannot carry"
        ),
        Mistake(user("role = \"root\""), 9, "users[0].role", "\"admin\", \"user\", \"readonly\""),
        Mistake(
            user("allowed_buckets = [\"photo\"]"),
            9,
            "users[0].allowed_buckets[0]",
            "there is no bucket \"photo\"",
            "did you mean \"photos\"?"
        ),
        Mistake(user("requests = \"100\""), 9, "users[0].requests", "100/60s"),
        Mistake(user("requests = \"0/60s\""), 9, "users[0].requests", "100/60s"),
        Mistake(user("bytes = \"1GiB/0s\""), 9, "users[0].bytes", "10GiB/1h"),
        Mistake(
            user("[[users]]\nname = \"alice\"\napi_key = \"another-0123456789\""),
            10,
            "users[1].name",
            "already, at gatehouse.toml:7"
        ),
        Mistake(
            user("[[users]]\nname = \"bob\"\napi_key = \"0123456789abcdef\""),
            11,
            "users[1].api_key",
            "the same API key is given already, at gatehouse.toml:8"
        ),
        Mistake(
            account + "[[users]]\nname = \"user:alice\"\napi_key = \"0123456789abcdef\"",
            7,
            "users[0].name",
            "without its kind",
            "\"alice\""
        ),
        Mistake(credential("expires_at = \"tomorrow\""), 10, "credentials[0].expires_at", "is not an instant"),
        Mistake(credential("expires_at = 2027-01-01"), 10, "credentials[0].expires_at", "is not an instant"),
        Mistake(credential("expires_at = 5"), 10, "credentials[0].expires_at", "must be an instant such as"),
        Mistake(credential("enabled = \"no\""), 10, "credentials[0].enabled", "must be true or false"),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nactions = [\"read\"]"),
            10,
            "credentials[0].allowed_scopes[0].bucket",
            "is required"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"photos\""),
            10,
            "credentials[0].allowed_scopes[0].actions",
            "is required"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"photos\"\nactions = []"),
            12,
            "credentials[0].allowed_scopes[0].actions",
            "allows nothing"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"photos\"\nactions = [\"read\", \"get_objct\"]"),
            12,
            "credentials[0].allowed_scopes[0].actions[1]",
            "is no action",
            "did you mean \"get_object\"?"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"photos\"\nactions = [\"s3:GetObject\"]"),
            12,
            "credentials[0].allowed_scopes[0].actions[0]",
            "did you mean \"get_object\"?"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"fotos\"\nactions = [\"read\"]"),
            11,
            "credentials[0].allowed_scopes[0].bucket",
            "there is no bucket \"fotos\"",
            "did you mean \"photos\"?"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"{sub}\"\nactions = [\"read\"]"),
            11,
            "credentials[0].allowed_scopes[0].bucket",
            "is not a bucket name"
        ),
        Mistake(
            credential("[[credentials.allowed_scopes]]\nbucket = \"photos\"\nprefix = \"a\"\nactions = [\"read\"]"),
            12,
            "credentials[0].allowed_scopes[0].prefix",
            "did you mean \"prefixes\"?"
        ),
        Mistake(
            account + "[[credentials]]\naccess_key_id = \"AKEXAMPLE\"\nprincipal_name = \"x\"",
            6,
            "credentials[0].secret_access_key",
            "is required"
        ),
        Mistake(
            credential("").replacing("AKEXAMPLE", with: "AK/EXAMPLE"),
            7,
            "credentials[0].access_key_id",
            "is not an access key id"
        ),
        Mistake(
            credential("").replacing("principal_name = \"app\"", with: ""),
            6,
            "credentials[0].principal_name",
            "is required"
        ),
        Mistake(
            policy("applies_to = [\"alice\"]\ndocument = '\(readPolicy)'"),
            11,
            "policies[0].applies_to[0]",
            "user:alice"
        ),
        Mistake(
            policy("applies_to = [\"user:alise\"]\ndocument = '\(readPolicy)'"),
            11,
            "policies[0].applies_to[0]",
            "there is no user \"alise\"",
            "did you mean \"alice\"?"
        ),
        Mistake(
            policy("applies_to = [\"idp:auth:*\"]\ndocument = '\(readPolicy)'"),
            11,
            "policies[0].applies_to[0]",
            "identity providers are not supported by this version"
        ),
        Mistake(
            policy("applies_to = []\ndocument = '\(readPolicy)'"),
            11,
            "policies[0].applies_to",
            "applies to nobody"
        ),
        Mistake(policy("document = '\(readPolicy)'"), 9, "policies[0].applies_to", "is required"),
        Mistake(policy("applies_to = [\"*\"]"), 9, "policies[0].document", "is required"),
        Mistake(
            policy("applies_to = [\"*\"]\ndocument = \"file:none.json\""),
            12,
            "policies[0].document",
            "cannot read none.json: no such file"
        ),
        Mistake(
            policy("applies_to = [\"*\"]\ndocument = '{}'"),
            12,
            "policies[0].document",
            "is not a policy: $.Version",
            "is missing"
        ),
    ]

    static let others: [Mistake] = [
        Mistake("[limits]\nrequests = \"many\"", 2, "limits.requests", "is not a limit"),
        Mistake("[limits]\nconcurrent_requests = -1", 2, "limits.concurrent_requests", "must be between 0 and"),
        Mistake("[access_log]\nformat = \"xml\"", 2, "access_log.format", "\"auto\", \"json\", \"text\""),
        Mistake("[audit]\nrotate_size = \"1B\"", 2, "audit.rotate_size", "must be between"),
        Mistake("[audit]\non_error = \"ignore\"", 2, "audit.on_error", "\"continue\", \"deny\""),
        Mistake("[audit]\nhmac_key = \"env:UNSET\"", 2, "audit.hmac_key", "UNSET is not set"),
        Mistake("[keys]\nsession_token_keys = []", 1, "keys", "not supported by this version"),
        Mistake("[[identity_providers]]\nname = \"x\"", 1, "identity_providers", "not supported by this version"),
        Mistake("[[roles]]\nrole_id = \"x\"", 1, "roles", "not supported by this version"),
        Mistake("[authorizer]\nurl = \"x\"", 1, "authorizer", "not supported by this version"),
        Mistake("[[routes]]\npath = \"/x\"", 1, "routes", "not supported by this version"),
        Mistake("[ext_authz]\ngateways = []", 1, "ext_authz", "not supported by this version"),
        Mistake("[uploads]\nmax_size = \"5GiB\"", 1, "uploads", "not supported by this version"),
        Mistake("[tracing]\nsample = 0.01", 1, "tracing", "not supported by this version"),
        Mistake("include = \"conf.d/*.toml\"", 1, "include", "must be an array of strings"),
        Mistake("include = [\n\"missing.toml\"]", 2, "include[0]", "cannot read missing.toml: no such file"),
    ]

    @Test(arguments: syntax + server + stores + callers + others)
    func oneMistakeIsSaidOnceWithItsPlace(mistake: Mistake) throws {
        let result = reading(mistake.text)
        #expect(result.configuration == nil)
        let problem = try #require(result.errors.first)
        #expect(result.errors.count == 1, "\(result.errors)")
        #expect(problem.origin.file == "gatehouse.toml")
        #expect(problem.origin.line == mistake.line, "\(problem)")
        #expect(problem.origin.path.description == mistake.key)
        for fragment in mistake.fragments {
            #expect(problem.description.contains(fragment), "\(problem)")
        }
    }

    @Test func everyMistakeOfAFileIsSaidAtOnceInReadingOrder() {
        let result = reading(
            """
            [server]
            lisen = "127.0.0.1:9000"
            idle_timeout = 75
            [[accounts]]
            name = "minio"
            buckets = ["photos", "Photos"]
            [accounts.backend_options]
            endpoint = "http://127.0.0.1:8333"
            access_key_id = "env:NOWHERE"
            [[users]]
            name = "alice"
            role = "owner"
            [roles]
            """
        )
        #expect(result.errors.compactMap(\.origin.line) == [2, 3, 6, 7, 9, 10, 12, 13])
    }

    @Test func problemsOfAnAccountAreNotRepeatedForTheBucketsThatShareIt() {
        let result = reading(
            account.replacing("http:", with: "ftp:")
                + "[[buckets]]\nname = \"one\"\naccount = \"minio\"\n[[buckets]]\nname = \"two\"\naccount = \"minio\"\n"
        )
        #expect(result.errors.map(\.origin.line) == [5])
    }

    @Test func aSecretNeverAppearsInAProblem() {
        let result = reading(
            """
            [[users]]
            name = "alice"
            api_key = "hush hush hush"
            [[users]]
            name = "bob"
            api_key_sha256 = "env:HASH"
            [[credentials]]
            access_key_id = "AKEXAMPLE"
            secret_access_key = "hush"
            """,
            variables: ["HASH": "hush"]
        )
        #expect(!result.problems.isEmpty)
        for problem in result.problems {
            #expect(!problem.description.contains("hush"))
            #expect(!problem.json.rendered().contains("hush"))
        }
    }
}
