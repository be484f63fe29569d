import Settings

/// For Traefik with `forwardAuth`. It does not take a path from our answer, so each bucket has its own routers.
enum TraefikConfiguration {
    static func files(_ plan: GatewayPlan) -> [GatewayFile] {
        [
            GatewayFile(name: "traefik.yaml", content: entry(plan)),
            GatewayFile(name: "gatehouse.yaml", content: dynamic(plan)),
        ]
    }

    private static func entry(_ plan: GatewayPlan) -> String {
        """
        # Printed by "gatehouse gateway-config traefik": the static configuration.
        entryPoints:
          gatehouse:
            address: \(quoted(plan.listen.description))
            http:
              # A key is what its bytes say: nothing is merged or resolved here.
              sanitizePath: false
              encodedCharacters:
                allowEncodedPercent: true
                allowEncodedHash: true
                allowEncodedQuestionMark: true
                allowEncodedSemicolon: true
            transport:
              respondingTimeouts:
                readTimeout: 0s
        providers:
          file:
            filename: gatehouse.yaml
        """
    }

    private static func dynamic(_ plan: GatewayPlan) -> String {
        var routers: [String] = []
        var rewrites: [String] = []
        for (place, route) in plan.routes.enumerated() {
            let path = "^" + pattern(plan.stripPrefix + "/" + route.bucket)
            routers.append(
                router("bucket-\(place)", rule: path + "/?$", rewrite: "bucket-\(place)", priority: 1000, route.store)
            )
            rewrites.append(rewrite("bucket-\(place)", path + "/?$", route.bucketPath))
            routers.append(
                router("keys-\(place)", rule: path + "/.+", rewrite: "keys-\(place)", priority: 999, route.store)
            )
            rewrites.append(rewrite("keys-\(place)", path + "/(.+)$", route.keyPath + "${1}"))
        }
        if let store = plan.everyOther {
            let path = "^" + pattern(plan.stripPrefix)
            routers.append(router("others", rule: path + "/.+", rewrite: "others", priority: 1, store))
            rewrites.append(rewrite("others", path + "/(.+)$", "/${1}"))
        }
        let privateFields = GatewayPlan.privateFields.map { "          \($0): \"\"" }.joined(separator: "\n")
        return """
            # Printed by "gatehouse gateway-config traefik": the dynamic configuration.
            http:
              routers:
            \(routers.joined(separator: "\n"))
              middlewares:
                # What only a gateway may say, the client does not.
                before:
                  headers:
                    customRequestHeaders:
                      X-Original-Content-Length: ""
                      X-Gatehouse-Gateway: \(quoted(plan.sharedSecret ?? ""))
                gatehouse:
                  forwardAuth:
                    address: \(quoted(plan.gatehouseURL + "/-/authz/traefik"))
                    trustForwardHeader: false
                    authResponseHeaders:
            \(plan.signatureFields.map { "        - \($0)" }.joined(separator: "\n"))
                # Who the client is ends here.
                after:
                  headers:
                    customRequestHeaders:
            \(privateFields)
            \(rewrites.joined(separator: "\n"))
              services:
            \(plan.stores.map(service).joined(separator: "\n"))
            """
    }

    private static func router(
        _ name: String,
        rule: String,
        rewrite: String,
        priority: Int,
        _ store: GatewayPlan.Store
    ) -> String {
        """
            \(name):
              entryPoints: [gatehouse]
              rule: \(quoted("PathRegexp(`\(rule)`)"))
              priority: \(priority)
              middlewares: [before, gatehouse, after, \(quoted("path-" + rewrite))]
              service: \(store.label)
        """
    }

    private static func rewrite(_ name: String, _ pattern: String, _ replacement: String) -> String {
        """
            path-\(name):
              replacePathRegex:
                regex: \(quoted(pattern))
                replacement: \(quoted(replacement))
        """
    }

    private static func service(_ store: GatewayPlan.Store) -> String {
        """
            \(store.label):
              loadBalancer:
                passHostHeader: false
                servers:
                - url: \(quoted((store.isTLS ? "https://" : "http://") + store.host))
        """
    }

    /// A path as a pattern for itself; what such paths hold beside letters and digits is `-`, `_`, `.` and `/`.
    private static func pattern(_ path: String) -> String { path.replacing(".", with: "[.]") }

    private static func quoted(_ text: String) -> String { GatewayPlan.quoted(text) }
}
