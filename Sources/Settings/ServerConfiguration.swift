package import WireFormats

/// `[server]`: the public listener, and how requests on it are read.
package struct ServerConfiguration: Sendable {
    package var listen = ListenAddress(host: "127.0.0.1", port: 9000)
    package var adminListen = ListenAddress(host: "127.0.0.1", port: 9001)
    /// What clients see; nil: the listen address. Never taken from `Host`.
    package var publicURL: PublicURL?
    /// Suffixes of virtual-hosted style, in lower case, without a leading dot.
    package var domains: [String] = []
    /// The region clients sign for; "*" accepts any.
    package var region = "us-east-1"
    /// Bytes; of a multipart upload the sum, at completion.
    package var maxObjectSize: Int64 = 5 << 40
    /// Whose `X-Forwarded-*` and PROXY headers are believed.
    package var trustedProxies: [CIDR] = []
    package var proxyProtocol = false
    package var strictKeys = false
    package var acceptsSigV2Presigned = true
    package var headerTimeout = Duration.seconds(10)
    package var idleTimeout = Duration.seconds(75)
    package var bodyIdleTimeout = Duration.seconds(60)
    package var maxConnections = 10_000
    package var maxHeaderBytes = 32 * 1024
    package var drainTimeout = Duration.seconds(30)
    package var tls: TLSConfiguration?
    /// For `/-/v1`, routes and links; first match wins.
    package var cors: [CORSRule] = []

    init() {}

    init(reading section: Section) {
        self.init()
        let reader = section.reader
        listen = section.parsed("listen", expected: ListenAddress.expected, ListenAddress.init(parsing:)) ?? listen
        adminListen =
            section.parsed("admin_listen", expected: ListenAddress.expected, ListenAddress.init(parsing:))
            ?? adminListen
        if listen == adminListen, listen.port != 0 {
            reader.report(
                "is the address of the public listener too; two listeners need two addresses",
                at: section.place(of: section.has("admin_listen") ? "admin_listen" : "listen")
            )
        }
        publicURL = section.parsed("public_url", expected: PublicURL.expected, PublicURL.init(parsing:))
        domains = (section.texts("domains") ?? []).compactMap { Self.domain($0, reader) }
        region = section.has("region") ? section.required("region")?.value ?? region : region
        maxObjectSize = section.size("max_object_size", or: maxObjectSize, in: 1...(1 << 50))
        trustedProxies = (section.texts("trusted_proxies") ?? []).compactMap { text in
            if let range = CIDR(text.value) { return range }
            reader.report(
                "\(quoted(text.value)) is not an address or a range of addresses",
                at: text.origin,
                suggestion: "write it like \"10.0.0.0/8\" or \"::1\""
            )
            return nil
        }
        proxyProtocol = section.boolean("proxy_protocol", or: proxyProtocol)
        if proxyProtocol, trustedProxies.isEmpty, !section.has("trusted_proxies") {
            reader.report(
                "needs trusted_proxies: PROXY headers are only believed from those",
                at: section.place(of: "proxy_protocol")
            )
        }
        strictKeys = section.boolean("strict_keys", or: strictKeys)
        acceptsSigV2Presigned = section.boolean("sigv2_presigned", or: acceptsSigV2Presigned)
        headerTimeout = section.duration("header_timeout", or: headerTimeout)
        idleTimeout = section.duration("idle_timeout", or: idleTimeout)
        bodyIdleTimeout = section.duration("body_idle_timeout", or: bodyIdleTimeout)
        maxConnections = section.integer("max_connections", or: maxConnections, in: 1...1_000_000)
        maxHeaderBytes = Int(section.size("max_header_bytes", or: Int64(maxHeaderBytes), in: 1024...(1 << 20)))
        drainTimeout = section.duration("drain_timeout", or: drainTimeout)
        if section.has("tls") { tls = TLSConfiguration(reading: section.section("tls")) }
        cors = section.sections("cors", single: .accepted).map(CORSRule.init(reading:))
        section.finish()
    }

    private static func domain(_ text: Located<String>, _ reader: ConfigurationReader) -> String? {
        let labels = text.value.split(separator: ".", omittingEmptySubsequences: false)
        let isDomain =
            text.value.utf8.count <= 253
            && labels.allSatisfy { label in
                (1...63).contains(label.utf8.count) && KeyPath.isBare(String(label)) && label.first != "-"
                    && label.last != "-"
            }
        guard isDomain else {
            reader.report(
                "\(quoted(text.value)) is not a domain",
                at: text.origin,
                suggestion: "write it like \"s3.example.com\", without scheme, port or leading dot"
            )
            return nil
        }
        return text.value.lowercased()
    }
}
