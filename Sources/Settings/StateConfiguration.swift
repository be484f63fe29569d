/// `[state]`: where sessions, grants and counters that outlive a process are kept.
package struct StateConfiguration: Sendable {
    package enum Store: Hashable, Sendable, CustomStringConvertible {
        /// A file; where the configuration's path is relative to the working directory, so is this one.
        case sqlite(path: String)
        case memory

        package var description: String {
            switch self {
            case .sqlite(let path): "sqlite:" + path
            case .memory: "memory:"
            }
        }
    }

    package var store = Store.sqlite(path: "gatehouse.db")

    /// The state directory, where the admin socket lies beside the store's file; nil where nothing is kept on disk.
    package var folder: String? {
        switch store {
        case .sqlite(let path): path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        case .memory: nil
        }
    }

    /// How long decisions go by what was seen of the state last, where it can't be looked at.
    package var maxStaleness = Duration.seconds(60)
    private static let leastStaleness = Duration.seconds(2)

    init() {}

    init(reading section: Section) {
        self.init()
        if let text = section.text("store") {
            if let given = Self.store(text, section.reader) { store = given }
        } else {
            store = .sqlite(path: section.reader.kept(standard: "gatehouse.db"))
        }
        maxStaleness = section.duration("max_staleness", or: maxStaleness)
        if maxStaleness < Self.leastStaleness, let text = section.text("max_staleness") {
            section.reader.report(
                "\(quoted(text.value)) is shorter than it takes to look at the state a few times",
                at: text.origin,
                suggestion: "write \"2s\" or more"
            )
        }
        section.finish()
    }

    private static func store(_ text: Located<String>, _ reader: ConfigurationReader) -> Store? {
        if text.value == "memory:" { return .memory }
        if let path = text.value.removing(prefix: "sqlite:"), !path.isEmpty {
            return .sqlite(path: reader.kept(Located(value: path, origin: text.origin)))
        }
        if text.value.hasPrefix("redis:") || text.value.hasPrefix("rediss:") {
            reader.report(
                "a shared store (redis) is not supported by this version",
                at: text.origin,
                suggestion: "use \"sqlite:PATH\" or \"memory:\""
            )
            return nil
        }
        reader.report(
            "\(quoted(text.value)) is not a store",
            at: text.origin,
            suggestion: "write \"sqlite:PATH\" or \"memory:\""
        )
        return nil
    }
}

/// `[admin]`: the admin listener.
package struct AdminConfiguration: Sendable {
    /// Values of `Host` that are answered besides the listen address.
    package var allowedHosts: [String] = []

    init() {}

    init(reading section: Section) {
        for text in section.texts("allowed_hosts") ?? [] {
            if PublicURL(parsing: "http://" + text.value) != nil, !text.value.hasSuffix("/") {
                allowedHosts.append(text.value.lowercased())
            } else {
                section.reader.report(
                    "\(quoted(text.value)) is not a host",
                    at: text.origin,
                    suggestion: "write it like \"admin.example.com\" or \"admin.example.com:9001\""
                )
            }
        }
        section.finish()
    }
}
