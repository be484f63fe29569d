import Admission
import Identity
import S3API
import WireFormats

extension GatehouseConfiguration {
    /// Every value in force, defaults included, under the names of the contract; secrets are `***`.
    package var effective: JSONValue {
        .object([
            ("server", server.effective),
            ("admin", .object([("allowed_hosts", .texts(admin.allowedHosts))])),
            (
                "state",
                .object([
                    ("store", .text(state.store.description)), ("max_staleness", .duration(state.maxStaleness)),
                ])
            ),
            ("keys", keys.effective),
            ("accounts", .array(accounts.map(\.effective))),
            ("buckets", .array(buckets.map(\.effective))),
            ("users", .array(users.map(\.effective))),
            ("credentials", .array(credentials.map(\.effective))),
            ("identity_providers", .array(identityProviders.map(\.effective))),
            ("roles", .array(roles.map(\.effective))),
            ("routes", .array(routes.map(\.effective))),
            ("policies", .array(policies.map(\.effective))),
            (
                "authorizer",
                authorizer.map { authorizer in
                    .object([
                        ("url", .text(authorizer.url.description)), ("timeout", .duration(authorizer.timeout)),
                        ("on_error", .text(authorizer.onError.rawValue)),
                    ])
                } ?? .null
            ),
            ("ext_authz", gateways.effective),
            ("limits", .object(limits.effective)),
            (
                "access_log",
                .object([
                    ("path", .text(accessLog.destination.description)), ("format", .text(accessLog.format.rawValue)),
                ])
            ),
            ("audit", audit.effective),
            ("uploads", uploads.effective),
        ])
    }
}

extension KeysConfiguration {
    /// Keys by their ids, which are public.
    fileprivate var effective: JSONValue {
        .object([
            ("session_token_keys", .texts(sessionKeys.map { Hex.encode($0.id) })),
            ("oidc_provider_keys", .texts(provider?.keys.map(\.id) ?? [])),
            ("oidc_provider_issuer", provider.map { .text($0.issuer) } ?? .null),
        ])
    }
}

extension ServerConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("listen", .text(listen.description)),
            ("admin_listen", .text(adminListen.description)),
            ("public_url", publicURL.map { .text($0.description) } ?? .null),
            ("domains", .texts(domains)),
            ("region", .text(region)),
            ("max_object_size", .size(maxObjectSize)),
            ("trusted_proxies", .texts(trustedProxies.map(\.description))),
            ("proxy_protocol", .boolean(proxyProtocol)),
            ("strict_keys", .boolean(strictKeys)),
            ("sigv2_presigned", .boolean(acceptsSigV2Presigned)),
            ("header_timeout", .duration(headerTimeout)),
            ("idle_timeout", .duration(idleTimeout)),
            ("body_idle_timeout", .duration(bodyIdleTimeout)),
            ("max_connections", .integer(Int64(maxConnections))),
            ("max_header_bytes", .size(Int64(maxHeaderBytes))),
            ("drain_timeout", .duration(drainTimeout)),
            (
                "tls",
                tls.map {
                    .object([("certificate", .text($0.certificateChain)), ("private_key", .secret)])
                } ?? .null
            ),
        ])
    }
}

extension AccountConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("name", .text(name)),
            ("buckets", .texts(buckets + (ownsEveryOtherBucket ? ["*"] : []))),
            ("backend_type", .text(backend.typeName)),
            ("checksums", .text(checksums.rawValue)),
            ("backend_options", .object(backend.effective)),
        ])
    }
}

extension BucketConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("name", .text(name)),
            ("account", account.map { .text($0) } ?? .null),
            ("backend_type", .text(backend.typeName)),
            ("backend_prefix", .text(backendPrefix)),
            ("anonymous_access", .boolean(anonymousAccess)),
            ("allowed_roles", allowedRoles.map { .texts($0.map(\.value)) } ?? .null),
            ("verify_payload", .text(payloadVerification.rawValue)),
            ("checksums", .text(checksums.rawValue)),
            ("frame_options", .text(frameOptions.rawValue)),
            ("backend_options", .object([("bucket_name", .text(backendBucket))] + backend.effective)),
        ])
    }
}

extension BackendConfiguration {
    fileprivate var typeName: String {
        switch self {
        case .s3: "s3"
        case .gcs: "gcs"
        case .azure: "azure"
        case .file: "file"
        }
    }

    fileprivate var effective: [(String, JSONValue)] {
        switch self {
        case .file(let path):
            return [("path", .text(path))]
        case .azure(let connection):
            return [
                ("account_name", .text(connection.account)),
                ("endpoint", .text(connection.address)),
                ("auth_type", .text(connection.source == nil ? "static" : "oidc")),
                ("tenant_id", connection.application.map { .text($0.tenantID) } ?? .null),
                ("client_id", connection.application.map { .text($0.clientID) } ?? .null),
                ("access_key", connection.accessKey == nil ? .null : .secret),
            ] + connection.effectiveNetwork
        case .gcs(let connection):
            return [
                ("endpoint", .text(connection.endpoint.description)),
                ("auth_type", .text(connection.workload == nil ? "static" : "oidc")),
                ("workload_provider", connection.workload.map { .text($0.provider) } ?? .null),
                ("service_account_email", connection.workload?.serviceAccount.map { .text($0) } ?? .null),
                ("hmac_access_id", connection.accessID.map { .text($0) } ?? .null),
                ("hmac_secret", connection.accessID == nil ? .null : .secret),
                ("service_account_key", connection.hasServiceAccount ? .secret : .null),
            ] + connection.effectiveNetwork
        case .s3(let connection):
            return [
                ("endpoint", .text(connection.endpoint.description)),
                ("region", .text(connection.region)),
                ("addressing", .text(connection.addressing.rawValue)),
            ] + connection.effectiveNetwork + connection.authentication.effective
        }
    }
}

extension StoreAuthentication {
    fileprivate var effective: [(String, JSONValue)] {
        switch self {
        case .none: [("access_key_id", .null), ("secret_access_key", .null), ("session_token", .null)]
        case .keys(let credential):
            [
                ("access_key_id", .text(credential.accessKeyID)), ("secret_access_key", .secret),
                ("session_token", credential.sessionToken == nil ? .null : .secret),
            ]
        case .obtained(.aws(let session)): session.effective
        case .obtained(let source): [("auth_type", .text("oidc")), ("credential", .text(source.label))]
        }
    }
}

extension NetworkConnection {
    fileprivate var effectiveNetwork: [(String, JSONValue)] {
        [
            ("connect_timeout", .duration(connectTimeout)),
            ("response_timeout", .duration(responseTimeout)),
            ("max_connections", .integer(Int64(maxConnections))),
            ("ca_certificate", caCertificate.map { .text($0) } ?? .null),
            ("public_endpoint", publicEndpoint.map { .text($0.description) } ?? .null),
        ]
    }
}

extension AzureConnection {
    fileprivate var application: AzureApplication? {
        if case .azure(let application)? = source { application } else { nil }
    }
}

extension GoogleConnection {
    fileprivate var workload: GoogleWorkload? { if case .google(let workload)? = source { workload } else { nil } }
}

extension AWSSession {
    fileprivate var effective: [(String, JSONValue)] {
        var values: [(String, JSONValue)]
        switch beginning {
        case .webIdentity(.own(let subject, let audience), let roleARN):
            values = [
                ("auth_type", .text("oidc")), ("oidc_role_arn", .text(roleARN)), ("oidc_subject", .text(subject)),
                ("oidc_audience", .text(audience)),
            ]
        case .webIdentity(.file, let roleARN):
            values = [("auth_type", .text("web-identity")), ("oidc_role_arn", .text(roleARN))]
        case .environment: values = [("auth_type", .text("env"))]
        case .instance: values = [("auth_type", .text("instance"))]
        }
        return values + [("sts_endpoint", .text(endpoint.description)), ("role_chain", .texts(chain))]
    }
}

extension UserConfiguration {
    fileprivate var effective: JSONValue {
        let buckets =
            switch user.allowedBuckets {
            case .every: ["*"]
            case .named(let names): names.sorted()
            }
        return .object(
            [
                ("name", .text(user.name)), ("api_key", .secret), ("role", .text(user.role.rawValue)),
                ("allowed_buckets", .texts(buckets)),
            ] + limits.effective
        )
    }
}

extension CredentialConfiguration {
    fileprivate var effective: JSONValue {
        .object(
            [
                ("access_key_id", .text(key.id)), ("secret_access_key", .secret),
                ("principal_name", .text(key.principalName)), ("enabled", .boolean(key.enabled)),
                ("expires_at", key.expiresAt.map { .text(Timestamp.iso8601($0)) } ?? .null),
                ("allowed_scopes", .array(scopes.map(\.effective))),
            ] + limits.effective
        )
    }
}

extension ScopeConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("bucket", .text(bucket)), ("prefixes", .texts(prefixes)),
            ("actions", .texts(actions.actions.map(\.rawValue))),
        ])
    }
}

extension IdentityProviderConfiguration {
    fileprivate var effective: JSONValue {
        let keys: (String, JSONValue)
        switch provider.keys {
        case .discovery: keys = ("jwks_url", .null)
        case .url(let url): keys = ("jwks_url", .text(url.description))
        case .set: keys = ("jwks_file", .text(keyFile ?? ""))
        case .secret: keys = ("shared_secret", .secret)
        }
        return .object([
            ("name", .text(provider.name)), ("issuer", .text(provider.issuer)),
            ("audiences", .texts(provider.audiences.sorted())),
            ("use", .texts(provider.uses.map(\.rawValue).sorted())), keys,
            ("principal_claim", .text(provider.principalClaim)), ("cookie", .text(provider.cookie ?? "")),
            ("max_grant_ttl", .duration(provider.maxGrantTTL)),
            ("allowed_scopes", .array(scopes.map(\.effective))),
        ])
    }
}

extension RoleConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("role_id", .text(role.id)), ("name", .text(name)),
            ("trusted_oidc_issuers", .texts(role.trust.issuers.sorted())),
            ("required_audiences", .texts(role.trust.audiences.sorted())),
            ("subject_conditions", .texts(role.trust.subjects.map(\.text))),
            ("trusted_principals", .texts(role.trust.principals.map(\.text))),
            ("max_session_duration_secs", .integer(role.longestSession.components.seconds)),
            ("allowed_scopes", .array(scopes.map(\.effective))),
        ])
    }
}

extension ScopeTemplateConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("bucket", .text(bucket)), ("prefixes", .texts(prefixes)),
            ("actions", .texts(actions.actions.map(\.rawValue))),
        ])
    }
}

extension GatewaysConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("gateways", .texts(peers.map(\.description))),
            ("shared_secret", sharedSecret == nil ? .null : .secret), ("strip_prefix", .text(stripPrefix)),
        ])
    }
}

extension RouteConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("path", .text(path.source)), ("methods", .texts(methods.map(\.rawValue))),
            ("bucket", .text(bucket.source)), ("key", .text(key.source)), ("delivery", .text(delivery.rawValue)),
            ("ttl", .duration(ttl)), ("redirect_above", .size(redirectAbove)), ("anonymous", .boolean(anonymous)),
            ("content_disposition", .text(contentDisposition)), ("content_type", .text(contentType)),
        ])
    }
}

extension PolicyConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("name", .text(name)), ("applies_to", .texts(appliesTo.map(\.text))),
            ("document", .text(String(decoding: document, as: UTF8.self))),
        ])
    }
}

extension RequestLimits {
    fileprivate var effective: [(String, JSONValue)] {
        [
            ("requests", .text(requests.map { "\($0.amount)/" + Durations.render($0.window) } ?? "")),
            ("bytes", .text(bytes.map { Sizes.render($0.amount) + "/" + Durations.render($0.window) } ?? "")),
            ("concurrent_requests", .integer(Int64(concurrentRequests ?? 0))),
        ]
    }
}

extension AuditConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("path", .text(destination.description)), ("rotate_size", .size(rotateSize)),
            ("keep", .integer(Int64(keep))), ("on_error", .text(onError.rawValue)),
            ("hmac_key", hmacKey == nil ? .null : .secret),
        ])
    }
}

extension UploadsConfiguration {
    fileprivate var effective: JSONValue {
        .object([
            ("default_ttl", .duration(defaultTTL)), ("max_ttl", .duration(maxTTL)), ("max_size", .size(maxSize)),
            ("allowed_content_types", .texts(allowedContentTypes.map(\.description))),
            ("max_open_per_principal", .integer(Int64(maxOpenPerPrincipal))),
            ("on_mismatch", .text(onMismatch.rawValue)), ("quarantine_prefix", .text(quarantinePrefix)),
            ("retention", .duration(retention)), ("events", .texts(events.map(\.description))),
            ("webhook_secret", webhookSecret == nil ? .null : .secret),
            ("event_tokens", .object(eventTokens.keys.sorted().map { ($0, .secret) })),
            ("sqs_queue_url", .text(queue?.url.description ?? "")),
            ("sqs_region", queue.map { .text($0.region) } ?? .null),
            ("sqs_endpoint", queue?.endpoint.map { .text($0.description) } ?? .null),
            ("sqs_access_key_id", queue?.accessKeyID.map { .text($0) } ?? .null),
            ("sqs_secret_access_key", queue?.secretAccessKey == nil ? .null : .secret),
        ])
    }
}

extension JSONValue {
    fileprivate static let secret = JSONValue.text("***")

    fileprivate static func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .text($0) }) }

    fileprivate static func duration(_ duration: Duration) -> JSONValue { .text(Durations.render(duration)) }

    fileprivate static func size(_ bytes: Int64) -> JSONValue { .text(Sizes.render(bytes)) }
}
