/// In which section a key belongs that was written in another one.
enum KnownKeys {
    private static let sections: [(section: String, keys: [String])] = [
        (
            "[server]",
            [
                "listen", "admin_listen", "public_url", "domains", "max_object_size", "trusted_proxies",
                "proxy_protocol", "strict_keys", "sigv2_presigned", "header_timeout", "idle_timeout",
                "body_idle_timeout", "max_header_bytes", "drain_timeout",
            ]
        ),
        ("[server.tls]", ["certificate", "private_key"]),
        ("[admin]", ["allowed_hosts"]),
        ("[state]", ["store", "max_staleness"]),
        ("[keys]", ["session_token_keys", "oidc_provider_keys", "oidc_provider_issuer"]),
        (
            "backend_options",
            [
                "endpoint", "bucket_name", "account_name", "container_name", "access_key", "addressing",
                "session_token", "auth_type", "connect_timeout",
                "response_timeout", "ca_certificate", "public_endpoint", "access_key_id", "secret_access_key",
                "region", "oidc_role_arn", "oidc_subject", "oidc_audience", "sts_endpoint", "role_chain",
                "workload_provider",
                "service_account_email",
            ]
        ),
        (
            "[[buckets]]",
            [
                "backend_prefix", "anonymous_access", "allowed_roles", "verify_payload", "checksums",
                "frame_options", "account", "backend_type",
            ]
        ),
        ("[[accounts]]", ["buckets"]),
        ("[[users]]", ["api_key", "api_key_sha256", "role", "allowed_buckets"]),
        ("[[credentials]]", ["principal_name", "enabled", "expires_at", "allowed_scopes"]),
        (
            "[[identity_providers]]",
            [
                "issuer", "audiences", "jwks_url", "jwks_file", "shared_secret", "principal_claim", "cookie",
                "max_grant_ttl",
            ]
        ),
        (
            "[[roles]]",
            [
                "role_id", "trusted_oidc_issuers", "required_audiences", "subject_conditions", "trusted_principals",
                "max_session_duration_secs",
            ]
        ),
        (
            "[[routes]]",
            [
                "path", "methods", "key", "delivery", "ttl", "redirect_above", "anonymous", "content_disposition",
                "content_type",
            ]
        ),
        ("[[policies]]", ["applies_to", "document"]),
        ("[authorizer]", ["url"]),
        ("[ext_authz]", ["gateways", "shared_secret", "strip_prefix"]),
        ("[limits]", ["requests", "bytes", "concurrent_requests"]),
        ("[access_log]", ["format"]),
        ("[audit]", ["rotate_size", "keep", "on_error", "hmac_key"]),
        (
            "[uploads]",
            [
                "default_ttl", "max_ttl", "max_size", "allowed_content_types", "max_open_per_principal", "on_mismatch",
                "quarantine_prefix", "retention", "events", "webhook_secret", "event_tokens", "sqs_queue_url",
                "sqs_region", "sqs_endpoint", "sqs_access_key_id", "sqs_secret_access_key",
            ]
        ),
        ("the top of the file", ["include"]),
    ]

    /// The section that has a key of this name; nil where none does.
    static func home(of key: String) -> String? {
        sections.first { $0.keys.contains(key) }?.section
    }
}
