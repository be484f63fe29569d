/// A configuration that begins with `[[identity_providers]]` in line 6.
func provider(_ lines: String, issuer: String = "https://auth.example.com") -> String {
    account + "[[identity_providers]]\nname = \"auth\"\nissuer = \"\(issuer)\"\naudiences = [\"gatehouse\"]\n" + lines
}

/// `[[identity_providers]]`.
extension Mistake {
    static let providers: [Mistake] = [
        Mistake(
            provider("").replacing("issuer = \"https://auth.example.com\"\n", with: ""),
            6,
            "identity_providers[0].issuer",
            "is required"
        ),
        Mistake(
            provider("").replacing("audiences = [\"gatehouse\"]\n", with: ""),
            6,
            "identity_providers[0].audiences",
            "is required"
        ),
        Mistake(
            provider("").replacing("[\"gatehouse\"]", with: "[]"),
            9,
            "identity_providers[0].audiences",
            "accepts no token"
        ),
        Mistake(
            provider("").replacing("\"gatehouse\"", with: "\"\""),
            9,
            "identity_providers[0].audiences[0]",
            "must not be empty"
        ),
        Mistake(provider("use = []"), 10, "identity_providers[0].use", "is good for nothing"),
        Mistake(provider("use = [\"baerer\"]"), 10, "identity_providers[0].use[0]", "did you mean \"bearer\"?"),
        Mistake(
            provider("").replacing("\"auth\"", with: "\"a:b\""),
            7,
            "identity_providers[0].name",
            "must not contain \":\""
        ),
        Mistake(
            provider("").replacing("\"auth\"", with: "\"idp:auth\""),
            7,
            "identity_providers[0].name",
            "write \"auth\""
        ),
        Mistake(
            provider("", issuer: "http://auth.example.com"),
            8,
            "identity_providers[0].issuer",
            "discovery takes an https URL",
            "shared_secret"
        ),
        Mistake(provider("", issuer: "my-app"), 8, "identity_providers[0].issuer", "can't be asked for its keys"),
        Mistake(
            provider("jwks_url = \"http://auth.example.com/jwks\""),
            10,
            "identity_providers[0].jwks_url",
            "over https alone"
        ),
        Mistake(provider("jwks_url = \"https://user@auth\""), 10, "identity_providers[0].jwks_url", "is not a URL"),
        Mistake(
            provider("jwks_url = \"https://a\"\nshared_secret = \"x\""),
            11,
            "identity_providers[0].shared_secret",
            "stands beside jwks_url"
        ),
        Mistake(
            provider("shared_secret = \"0123456789012345678901234567890\""),
            10,
            "identity_providers[0].shared_secret",
            "is shorter than 32 bytes"
        ),
        Mistake(
            provider("jwks_file = \"none.json\""),
            10,
            "identity_providers[0].jwks_file",
            "cannot read none.json: no such file"
        ),
        Mistake(provider("jwks_file = \"gatehouse.toml\""), 10, "identity_providers[0].jwks_file", "is not JSON"),
        Mistake(provider("principal_claim = \"\""), 10, "identity_providers[0].principal_claim", "must not be empty"),
        Mistake(provider("cookie = \"a b\""), 10, "identity_providers[0].cookie", "is not the name of a cookie"),
        Mistake(provider("max_grant_ttl = 5"), 10, "identity_providers[0].max_grant_ttl", "a time with its unit"),
        Mistake(provider("jwks = \"https://a\""), 10, "identity_providers[0].jwks", "did you mean \"jwks_url\"?"),
        Mistake(
            provider("[[identity_providers.allowed_scopes]]\nbucket = \"{sub-bucket\"\nactions = [\"read\"]"),
            11,
            "identity_providers[0].allowed_scopes[0].bucket",
            "has a { without a }"
        ),
        Mistake(
            provider("[[identity_providers.allowed_scopes]]\nbucket = \"fotos\"\nactions = [\"read\"]"),
            11,
            "identity_providers[0].allowed_scopes[0].bucket",
            "did you mean \"photos\"?"
        ),
        Mistake(
            provider(
                "[[identity_providers.allowed_scopes]]\nbucket = \"{sub}\"\nprefixes = [\"a}\"]\nactions = [\"read\"]"
            ),
            12,
            "identity_providers[0].allowed_scopes[0].prefixes[0]",
            "has a } without a {"
        ),
        Mistake(
            provider("[[identity_providers.allowed_scopes]]\nbucket = \"{sub}\"\nactions = [\"reed\"]"),
            12,
            "identity_providers[0].allowed_scopes[0].actions[0]",
            "did you mean \"read\"?"
        ),
        Mistake(
            provider("[[identity_providers]]\nname = \"auth\"\nissuer = \"https://b\"\naudiences = [\"x\"]"),
            11,
            "identity_providers[1].name",
            "already, at gatehouse.toml:7"
        ),
        Mistake(
            provider(
                "[[identity_providers]]\nname = \"b\"\nissuer = \"https://auth.example.com\"\n"
                    + "audiences = [\"x\", \"gatehouse\"]"
            ),
            13,
            "identity_providers[1].audiences",
            "is an audience of \"auth\" already"
        ),
    ]
}
