import Settings

/// For Envoy with `ext_authz` over HTTP. It does not take a path from our answer, so each bucket has its own routes.
enum EnvoyConfiguration {
    static func files(_ plan: GatewayPlan) -> [GatewayFile] {
        [GatewayFile(name: "envoy.yaml", content: text(plan))]
    }

    private static func text(_ plan: GatewayPlan) -> String {
        let removed = GatewayPlan.privateFields.map { quoted($0.lowercased()) }.joined(separator: ", ")
        let upstream = plan.signatureFields.map { "{ exact: \($0.lowercased()) }" }.joined(separator: ", ")
        return """
            # Printed by "gatehouse gateway-config envoy".
            static_resources:
              listeners:
              - name: gatehouse
                address:
                  socket_address: { address: \(quoted(plan.listen.host)), port_value: \(plan.listen.port) }
                filter_chains:
                - filters:
                  - name: envoy.filters.network.http_connection_manager
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
                      stat_prefix: gatehouse
                      # A key is what its bytes say: nothing is merged, resolved or decoded here.
                      normalize_path: false
                      merge_slashes: false
                      path_with_escaped_slashes_action: KEEP_UNCHANGED
                      use_remote_address: true
                      stream_idle_timeout: 300s
                      route_config:
                        name: buckets
                        request_headers_to_remove: [\(removed)]
                        virtual_hosts:
                        - name: buckets
                          domains: ["*"]
                          routes:
            \(routes(plan))
                      http_filters:
                      # The check has no body; what the client says of its length goes along under another name.
                      - name: envoy.filters.http.header_mutation
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.http.header_mutation.v3.HeaderMutation
                          mutations:
                            request_mutations:
                            - remove: x-original-content-length
                            - append:
                                header: { key: x-original-content-length, value: "%REQ(content-length)%" }
                                append_action: OVERWRITE_IF_EXISTS_OR_ADD
                      - name: envoy.filters.http.ext_authz
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3.ExtAuthz
                          transport_api_version: V3
                          failure_mode_allow: false
                          status_on_error: { code: ServiceUnavailable }
                          allowed_headers:
                            patterns:
                            - { prefix: x-amz- }
                            - { prefix: x-goog- }
                            - { prefix: x-ms- }
                            - { prefix: x-oss- }
                            - { prefix: x-obs- }
                            - { prefix: x-cos- }
                            - { prefix: x-minio- }
                            - { prefix: x-http-method }
                            - { exact: x-method-override }
                            - { prefix: content- }
                            - { prefix: if- }
                            - { prefix: cache-control }
                            - { exact: authorization }
                            - { exact: x-api-key }
                            - { exact: cookie }
                            - { exact: origin }
                            - { prefix: access-control-request- }
                            - { exact: range }
                            - { exact: expires }
                            - { exact: date }
                            - { exact: user-agent }
                            - { exact: x-original-content-length }
                            - { exact: x-forwarded-for }
                            - { exact: x-forwarded-proto }
                          http_service:
                            path_prefix: /-/authz/envoy
                            server_uri: { uri: \(quoted(plan.gatehouseURL)), cluster: gatehouse, timeout: 2s }
            \(secret(plan))                authorization_response:
                              allowed_upstream_headers: { patterns: [\(upstream)] }
                      - name: envoy.filters.http.router
                        typed_config:
                          "@type": type.googleapis.com/envoy.extensions.filters.http.router.v3.Router
                          suppress_envoy_headers: true
              clusters:
            \(cluster("gatehouse", plan.gatehouse.host, plan.gatehouse.port))\
            \(plan.gatehouseIsTLS ? tls(plan.gatehouse.host, caCertificate: nil) : "")
            \(plan.stores.map(cluster).joined(separator: "\n"))
            """
    }

    private static func secret(_ plan: GatewayPlan) -> String {
        guard let secret = plan.sharedSecret else { return "" }
        return """
                            authorization_request:
                              headers_to_add:
                              - { key: x-gatehouse-gateway, value: \(quoted(secret)) }

            """
    }

    private static func routes(_ plan: GatewayPlan) -> String {
        var lines: [String] = []
        for route in plan.routes {
            let path = plan.stripPrefix + "/" + route.bucket
            lines.append(line("path: \(quoted(path))", rewrite: route.bucketPath, to: route.store))
            lines.append(line("path: \(quoted(path + "/"))", rewrite: route.bucketPath, to: route.store))
            lines.append(line("prefix: \(quoted(path + "/"))", rewrite: route.keyPath, to: route.store))
        }
        if let store = plan.everyOther {
            lines.append(line("prefix: \(quoted(plan.stripPrefix + "/"))", rewrite: "/", to: store))
        }
        return lines.joined(separator: "\n")
    }

    private static func line(_ match: String, rewrite: String, to store: GatewayPlan.Store) -> String {
        """
                      - match: { \(match) }
                        route:
                          cluster: \(store.label)
                          prefix_rewrite: \(quoted(rewrite))
                          host_rewrite_literal: \(quoted(store.host))
                          timeout: 0s
        """
    }

    private static func cluster(_ store: GatewayPlan.Store) -> String {
        cluster(store.label, store.server.host, store.server.port)
            + (store.isTLS ? tls(store.server.host, caCertificate: store.caCertificate) : "")
    }

    private static func cluster(_ name: String, _ host: String, _ port: Int) -> String {
        """
          - name: \(name)
            type: STRICT_DNS
            connect_timeout: 5s
            load_assignment:
              cluster_name: \(name)
              endpoints:
              - lb_endpoints:
                - endpoint: { address: { socket_address: { address: \(quoted(host)), port_value: \(port) } } }
        """
    }

    private static func tls(_ host: String, caCertificate: String?) -> String {
        let authority =
            caCertificate.map { "inline_string: \(quoted($0))" } ?? "filename: /etc/ssl/certs/ca-certificates.crt"
        return """

                transport_socket:
                  name: envoy.transport_sockets.tls
                  typed_config:
                    "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext
                    sni: \(quoted(host))
                    auto_sni_san_validation: true
                    common_tls_context: { validation_context: { trusted_ca: { \(authority) } } }
            """
    }

    private static func quoted(_ text: String) -> String { GatewayPlan.quoted(text) }
}
