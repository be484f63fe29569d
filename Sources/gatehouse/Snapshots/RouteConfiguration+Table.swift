import Pipeline
import S3API
import Settings

extension [RouteConfiguration] {
    /// Nil: there are none.
    var table: RouteTable? {
        guard !isEmpty else { return nil }
        return RouteTable(
            map { route in
                Route(
                    route.path,
                    methods: Set(route.methods.compactMap { Route.Method(rawValue: $0.rawValue) }),
                    bucket: route.bucket,
                    key: route.key,
                    delivery: route.wayOfDelivery,
                    lifetime: route.ttl,
                    callers: route.anonymous ? .everybody : .known,
                    contentDisposition: route.contentDisposition.isEmpty ? nil : route.contentDisposition,
                    contentType: route.contentType.isEmpty ? nil : route.contentType
                )
            }
        )
    }
}

extension RouteConfiguration {
    fileprivate var wayOfDelivery: Route.Delivery {
        switch delivery {
        case .proxy: .proxy
        case .redirect: .redirect
        case .auto: .auto(above: redirectAbove)
        }
    }
}

extension [CORSRule] {
    /// Nil: there are none.
    var rules: CrossOriginRules? {
        CrossOriginRules(
            map { rule in
                CORSConfiguration.Rule(
                    allowedOrigins: rule.allowedOrigins,
                    allowedMethods: rule.allowedMethods,
                    allowedHeaders: rule.allowedHeaders,
                    exposedHeaders: rule.exposeHeaders,
                    maxAgeSeconds: Int(rule.maxAge.components.seconds)
                )
            }
        )
    }
}
