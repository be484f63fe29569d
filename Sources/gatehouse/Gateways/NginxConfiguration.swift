import Settings

/// For nginx with `auth_request`: which store a request goes to, and under which path, is what Gatehouse answered.
enum NginxConfiguration {
    static func files(_ plan: GatewayPlan) -> [GatewayFile] {
        [GatewayFile(name: "gatehouse.conf", content: text(plan))]
    }

    private static func text(_ plan: GatewayPlan) -> String {
        let stores = plan.stores.map { store in
            "    \(quoted(store.host)) \(store.isTLS ? "https" : "http")://gatehouse_\(store.label);"
        }
        let upstreams = plan.stores.map { store in
            """
            upstream gatehouse_\(store.label) {
                server \(store.address);
                keepalive 64;
            }
            """
        }
        let signature = plan.signatureFields.map { field in
            (field: field, variable: field.lowercased().replacing("-", with: "_"))
        }
        let location = plan.stripPrefix + "/"
        let other = location == "/" ? "" : "\n    location / {\n        return 404;\n    }\n"
        return """
            # Printed by "gatehouse gateway-config nginx", for the http block.

            # A dollar sign in a string.
            geo $gatehouse_dollar {
                default "$";
            }

            # The store that a request was signed for.
            map $gatehouse_host $gatehouse_store {
                default "";
            \(stores.joined(separator: "\n"))
            }

            upstream gatehouse_itself {
                server \(plan.gatehouse);
                keepalive 64;
            }
            \(upstreams.joined(separator: "\n"))

            server {
                listen \(plan.listen);
                # Keys may hold several slashes in a row.
                merge_slashes off;
                client_max_body_size \(plan.maxObjectSize ?? 0);

                location = /_gatehouse {
                    internal;
                    proxy_pass \(plan.gatehouseIsTLS ? "https" : "http")://gatehouse_itself/-/authz/nginx;
                    proxy_http_version 1.1;
                    proxy_pass_request_body off;
                    proxy_set_header Connection "";
                    proxy_set_header Content-Length "";
                    proxy_set_header Host $http_host;
                    proxy_set_header X-Original-Method $request_method;
                    proxy_set_header X-Original-URI $request_uri;
                    proxy_set_header X-Original-Host "";
                    proxy_set_header X-Original-Content-Length $http_content_length;
                    proxy_set_header X-Forwarded-For $remote_addr;
                    proxy_set_header X-Forwarded-Proto $scheme;
                    proxy_set_header X-Forwarded-Host "";
                    proxy_set_header X-Gatehouse-Gateway \(quoted(plan.sharedSecret ?? ""));
                }

                location \(location) {
                    auth_request /_gatehouse;
                    error_page 401 @gatehouse_unknown;
                    error_page 403 @gatehouse_denied;
                    auth_request_set $gatehouse_host $upstream_http_x_gatehouse_upstream_host;
                    auth_request_set $gatehouse_path $upstream_http_x_gatehouse_upstream_path;
            \(signature.map { "        auth_request_set $gatehouse_\($0.variable) $upstream_http_\($0.variable);" }.joined(separator: "\n"))

                    proxy_pass $gatehouse_store$gatehouse_path$is_args$args;
                    proxy_http_version 1.1;
                    proxy_request_buffering off;
                    proxy_max_temp_file_size 0;
                    proxy_redirect off;
                    proxy_set_header Connection "";
                    proxy_set_header Host $gatehouse_host;
            \(signature.map { "        proxy_set_header \($0.field) $gatehouse_\($0.variable);" }.joined(separator: "\n"))
                    # Who the client is ends here.
            \(GatewayPlan.privateFields.map { "        proxy_set_header \($0) \"\";" }.joined(separator: "\n"))
            \(tls(plan))    }

                # A client that waits for 100 Continue does not send the body of what is denied: whatever it sends next
                # would be taken for that body if the connection stayed open.
                location @gatehouse_unknown {
                    keepalive_timeout 0;
                    default_type application/json;
                    return 401 '{"error":{"code":"Unauthorized","message":"The credential is missing or not valid."}}';
                }
                location @gatehouse_denied {
                    keepalive_timeout 0;
                    default_type application/json;
                    return 403 '{"error":{"code":"AccessDenied","message":"Access Denied"}}';
                }
            \(other)}
            """
    }

    private static func tls(_ plan: GatewayPlan) -> String {
        guard plan.stores.contains(where: \.isTLS) else { return "" }
        return """
                    proxy_ssl_server_name on;
                    proxy_ssl_name $gatehouse_host;
                    proxy_ssl_verify on;
                    # Authorities that issued the stores' certificates.
                    proxy_ssl_trusted_certificate /etc/ssl/certs/ca-certificates.crt;

            """
    }

    private static func quoted(_ text: String) -> String {
        "\""
            + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing(
                "$",
                with: "${gatehouse_dollar}"
            ) + "\""
    }
}
