import Settings

/// For Caddy with `forward_auth`: which store a request goes to, and under which path, is what Gatehouse answered.
enum CaddyConfiguration {
    static func files(_ plan: GatewayPlan) -> [GatewayFile] {
        [GatewayFile(name: "Caddyfile", content: text(plan))]
    }

    private static func text(_ plan: GatewayPlan) -> String {
        let limit = plan.maxObjectSize.map {
            "\n            request_body {\n                max_size \($0)B\n            }"
        }
        return """
            # Printed by "gatehouse gateway-config caddy".
            {
                admin off
                auto_https off
                persist_config off
            }

            http://:\(plan.listen.port) {
                bind \(plan.listen.host)
                handle \(plan.stripPrefix)/* {
                    route {\(limit ?? "")
                        request_header -X-Gatehouse-*
                        forward_auth \(plan.gatehouseURL) {
                            uri /-/authz/caddy
                            header_up X-Gatehouse-Gateway \(quoted(plan.sharedSecret ?? ""))
                            header_up X-Original-Content-Length "{http.request.header.Content-Length}"
                            copy_headers \(plan.signatureFields.joined(separator: " ")) \\
                                X-Gatehouse-Upstream-Path X-Gatehouse-Upstream-Host
                        }
                        rewrite * {http.request.header.X-Gatehouse-Upstream-Path}
            \(plan.stores.map { store($0, plan) }.joined(separator: "\n"))
                        respond 502
                    }
                }
                handle {
                    respond 404
                }
            }
            """
    }

    private static func store(_ store: GatewayPlan.Store, _ plan: GatewayPlan) -> String {
        // Where the signature brings no token, none of the client's may stand in its place; nor another store's fields.
        let others = plan.signatureFields.filter { !store.signatureFields.contains($0) }
        let fields = GatewayPlan.privateFields + others
        return """
                        @\(store.label) header X-Gatehouse-Upstream-Host \(quoted(store.host))
                        reverse_proxy @\(store.label) \(store.url) {
                            header_up Host \(quoted(store.host))
            \(fields.map { "                header_up -\($0)" }.joined(separator: "\n"))
                        }
            """
    }

    private static func quoted(_ text: String) -> String { GatewayPlan.quoted(text) }
}
