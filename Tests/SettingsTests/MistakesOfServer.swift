import Samples

/// `[server.tls]` on its three lines.
private func tls(_ certificate: String? = nil, key: String) -> String {
    func line(_ name: String, _ text: String) -> String {
        "\n\(name) = \"" + text.replacing("\n", with: "\\n") + "\""
    }
    return "[server.tls]" + (certificate.map { line("certificate", $0) } ?? "") + line("private_key", key)
}

/// Syntax, `[server]`, `[admin]`, `[state]`, and the sections beside them.
extension Mistake {
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
        Mistake(tls(key: PEMSample.p256), 1, "server.tls.certificate", "is required"),
        Mistake(
            tls("tls.crt", key: PEMSample.p256),
            2,
            "server.tls.certificate",
            "is not PEM text",
            "file:PATH"
        ),
        Mistake(
            tls("file:no.crt", key: PEMSample.p256),
            2,
            "server.tls.certificate",
            "cannot read no.crt: no such file"
        ),
        Mistake(
            tls(PEMSample.certificate, key: PEMSample.p256),
            3,
            "server.tls.private_key",
            "is not the key of the certificate"
        ),
        Mistake(
            tls(PEMSample.certificate, key: PEMSample.certificate),
            3,
            "server.tls.private_key",
            "is a certificate, and no private key"
        ),
        Mistake(
            tls(PEMSample.certificate, key: PEMSample.encrypted),
            3,
            "server.tls.private_key",
            "is encrypted with a passphrase",
            "openssl pkey"
        ),
        Mistake(
            tls(PEMSample.certificate, key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
            3,
            "server.tls.private_key",
            "can't be read"
        ),
        Mistake(
            tls(PEMSample.certificateKey, key: PEMSample.certificateKey),
            2,
            "server.tls.certificate",
            "is a private key, and no certificate"
        ),
        Mistake(
            tls(PEMSample.certificate + "\n" + PEMSample.certificate.dropLast(80), key: PEMSample.certificateKey),
            2,
            "server.tls.certificate",
            "can't be read"
        ),
        Mistake(
            tls(PEMSample.publicHalf, key: PEMSample.certificateKey),
            2,
            "server.tls.certificate",
            "has no certificate in it"
        ),
        Mistake(
            "[[server.cors]]\nallowed_methods = [\"GET\"]",
            1,
            "server.cors[0].allowed_origins",
            "at least one origin"
        ),
        Mistake(
            "[[server.cors]]\nallowed_origins = [\"app.example.com\"]",
            2,
            "server.cors[0].allowed_origins[0]",
            "is not an origin",
            "https://app.example.com"
        ),
        Mistake(
            "[[server.cors]]\nallowed_origins = [\"https://*.*.example.com\"]",
            2,
            "server.cors[0].allowed_origins[0]",
            "is not an origin"
        ),
        Mistake("[admin]\nallowed_hosts = [\"http://x\"]", 2, "admin.allowed_hosts[0]", "is not a host"),
        Mistake("[state]\nstore = \"redis://host:6379/0\"", 2, "state.store", "not supported by this version"),
        Mistake("[state]\nstore = \"postgres:x\"", 2, "state.store", "is not a store", "sqlite:PATH"),
        Mistake("[state]\nmax_staleness = true", 2, "state.max_staleness", "must be a string, not a boolean"),
        Mistake("[state]\nmax_staleness = \"1s\"", 2, "state.max_staleness", "is shorter than it takes", "\"2s\""),
    ]

    static let others: [Mistake] = [
        Mistake("[limits]\nrequests = \"many\"", 2, "limits.requests", "is not a limit"),
        Mistake("[limits]\nconcurrent_requests = -1", 2, "limits.concurrent_requests", "must be between 0 and"),
        Mistake("[access_log]\nformat = \"xml\"", 2, "access_log.format", "\"auto\", \"json\", \"text\""),
        Mistake("[audit]\nrotate_size = \"1B\"", 2, "audit.rotate_size", "must be between"),
        Mistake("[audit]\non_error = \"ignore\"", 2, "audit.on_error", "\"continue\", \"deny\""),
        Mistake("[audit]\nhmac_key = \"env:UNSET\"", 2, "audit.hmac_key", "UNSET is not set"),
        Mistake("[authorizer]\nurl = \"x\"", 2, "authorizer.url", "is not a URL"),
        Mistake("[authorizer]\ntimeout = \"1s\"", 1, "authorizer.url", "is required"),
        Mistake(
            "[authorizer]\nurl = \"http://[::1]/\"\non_error = \"alow\"",
            3,
            "authorizer.on_error",
            "did you mean \"allow\"?"
        ),
        Mistake(
            "[authorizer]\nurl = \"http://[::1]/\"\ntimeout = \"1m\"",
            3,
            "authorizer.timeout",
            "must be at most 10s"
        ),
        Mistake("[ext_authz]\ngateways = [\"10.0.0.0/33\"]", 2, "ext_authz.gateways[0]", "is not an address"),
        Mistake("[ext_authz]\nstrip_prefix = \"s3\"", 2, "ext_authz.strip_prefix", "is not the beginning of a path"),
        Mistake("[ext_authz]\nstrip_prefix = \"/s3/\"", 2, "ext_authz.strip_prefix", "is not the beginning of a path"),
        Mistake("[ext_authz]\nstrip_prefix = \"/a/../b\"", 2, "ext_authz.strip_prefix", "is not the beginning"),
        Mistake("[ext_authz]\nstrip_prefix = \"/%73\"", 2, "ext_authz.strip_prefix", "is not the beginning"),
        Mistake("[ext_authz]\nshared_secret = \"a b\"", 2, "ext_authz.shared_secret", "cannot carry"),
        Mistake("[ext_authz]\nsecret = \"x\"", 2, "ext_authz.secret", "unknown key"),
        Mistake(
            "[tracing]\nsample = 0.01",
            1,
            "tracing",
            "gatehouse.toml:1: tracing: is not supported by this version"
        ),
        Mistake("include = \"conf.d/*.toml\"", 1, "include", "must be an array of strings"),
        Mistake("include = [\n\"missing.toml\"]", 2, "include[0]", "cannot read missing.toml: no such file"),
    ]
}
