package import WireFormats

/// `[uploads]`: what slots may be issued, and who is told of them.
package struct UploadsConfiguration: Sendable {
    package enum OnMismatch: String, CaseIterable, Sendable {
        /// What was uploaded and is not what was promised stays where it is.
        case keep
        /// It is removed where that can't hit anything else.
        case delete
    }

    package var defaultTTL = Duration.seconds(300)
    package var maxTTL = Duration.seconds(3600)
    /// Bytes.
    package var maxSize: Int64 = 5 << 30
    /// Empty: every type.
    package var allowedContentTypes: [MediaRange] = []
    package var maxOpenPerPrincipal = 1000
    package var onMismatch = OnMismatch.keep
    /// Ends in `/`.
    package var quarantinePrefix = ".gatehouse/quarantine/"
    /// Of slots that have ended.
    package var retention = Duration.seconds(30 * 86_400)
    package var events: [EventTarget] = []
    /// Not nil where there are `events`.
    package var webhookSecret: Secret<String>?
    /// What whoever pushes events of a store shows, by the account or bucket that they are of.
    package var eventTokens: [String: Secret<String>] = [:]
    package var queue: QueueConfiguration?
    /// Where each name of `event_tokens` is written.
    private(set) var eventTokenOrigins: [(name: String, origin: Origin)] = []

    init() {}

    init(reading section: Section) {
        maxTTL = section.duration("max_ttl", or: maxTTL)
        if maxTTL > Self.longestTTL {
            section.reader.report(
                "must be at most 7d, which is as long as stores let a URL live",
                at: section.place(of: "max_ttl")
            )
        }
        defaultTTL = section.duration("default_ttl", or: min(defaultTTL, maxTTL))
        if defaultTTL > maxTTL {
            section.reader.report(
                "is longer than max_ttl (\(Durations.render(maxTTL)))",
                at: section.place(of: "default_ttl")
            )
        }
        maxSize = section.size("max_size", or: maxSize, in: 1...(5 << 40))
        allowedContentTypes = (section.texts("allowed_content_types") ?? []).compactMap { text in
            if let range = MediaRange(text.value) { return range }
            section.reader.report(
                "\(quoted(text.value)) is not a type",
                at: text.origin,
                suggestion: "write it like \"image/*\" or \"video/mp4\", without parameters"
            )
            return nil
        }
        maxOpenPerPrincipal = section.integer("max_open_per_principal", or: maxOpenPerPrincipal, in: 1...1_000_000)
        onMismatch = section.choice("on_mismatch", or: .keep)
        readQuarantine(section)
        retention = section.duration("retention", or: retention)
        readEvents(section)
        readEventTokens(section)
        queue = QueueConfiguration(reading: section)
        section.finish()
    }

    /// Signature version 4 (S3 API reference, "Authenticating Requests: Using Query Parameters").
    private static let longestTTL = Duration.seconds(7 * 86_400)

    private mutating func readQuarantine(_ section: Section) {
        guard let text = section.text("quarantine_prefix") else { return }
        let isPrefix =
            text.value.hasSuffix("/") && !text.value.hasPrefix("/") && text.value.utf8.count <= 256
            && !text.value.utf8.contains { $0 < 32 || $0 == 127 }
            && !text.value.dropLast().split(separator: "/", omittingEmptySubsequences: false)
                .contains { $0.isEmpty || $0 == "." || $0 == ".." }
        guard isPrefix else {
            section.reader.report(
                "\(quoted(text.value)) is not a folder that keys begin with",
                at: text.origin,
                suggestion: "write it like \"\(quarantinePrefix)\""
            )
            return
        }
        quarantinePrefix = text.value
    }

    private mutating func readEvents(_ section: Section) {
        for text in section.texts("events") ?? [] {
            guard let target = EventTarget(text.value) else {
                section.reader.report(
                    "\(quoted(text.value)) is nobody who could be told",
                    at: text.origin,
                    suggestion: "write it like \"webhook:https://app.example.com/hooks/uploads\""
                )
                continue
            }
            if events.contains(target) {
                section.reader.report("\(quoted(text.value)) is told already", at: text.origin)
            } else {
                events.append(target)
            }
        }
        if let secret = section.resolved("webhook_secret") {
            PrincipalName.warnIfShort(secret, section.reader)
            webhookSecret = Secret(secret.value)
        } else if !events.isEmpty, !section.has("webhook_secret") {
            section.reader.report(
                "is required, because receivers can't tell our events from others' without it",
                at: section.place(of: "webhook_secret")
            )
        }
    }

    private mutating func readEventTokens(_ section: Section) {
        guard section.has("event_tokens") else { return }
        let tokens = section.section("event_tokens")
        for name in tokens.names {
            guard let token = tokens.resolved(name) else { continue }
            PrincipalName.warnIfShort(token, section.reader)
            eventTokens[name] = Secret(token.value)
            eventTokenOrigins.append((name, token.origin))
        }
    }
}

/// Who is told of what happens to slots.
package enum EventTarget: Hashable, Sendable, CustomStringConvertible {
    /// By a POST there.
    case webhook(WebURL)

    package init?(_ text: String) {
        guard let url = text.removing(prefix: "webhook:").flatMap({ WebURL(parsing: $0) }) else { return nil }
        self = .webhook(url)
    }

    package var description: String {
        switch self {
        case .webhook(let url): "webhook:" + url.description
        }
    }
}
