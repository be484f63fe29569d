/// `[[users]]`, `[[credentials]]` and `[[policies]]`.
extension Mistake {
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
            credential("").replacing("AKEXAMPLE", with: "GHSTS0123"),
            7,
            "credentials[0].access_key_id",
            "that Gatehouse makes itself"
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
            "there is no identity provider \"auth\""
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
}
