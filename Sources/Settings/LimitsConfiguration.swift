import Admission

/// How `requests`, `bytes` and `concurrent_requests` are read: `[limits]` for all principals, and the keys of one
/// entry of `[[users]]` or `[[credentials]]`.
enum LimitsConfiguration {
    /// `[limits]`: empty text and 0 mean no limit.
    static func standard(_ section: Section) -> RequestLimits {
        let limits = RequestLimits(
            requests: limit("requests", in: section, or: nil, RateLimit.init(requests:)),
            bytes: limit("bytes", in: section, or: nil, RateLimit.init(bytes:)),
            concurrentRequests: section.integer("concurrent_requests", or: 0, in: 0...1_000_000)
        )
        section.finish()
        return limits
    }

    /// Those of one principal: a key that is absent leaves the limit of `[limits]`, an empty one lifts it.
    static func own(_ section: Section, standard: RequestLimits) -> RequestLimits {
        RequestLimits(
            requests: limit("requests", in: section, or: standard.requests, RateLimit.init(requests:)),
            bytes: limit("bytes", in: section, or: standard.bytes, RateLimit.init(bytes:)),
            concurrentRequests: standard.concurrentRequests
        )
    }

    private static func limit(
        _ name: String,
        in section: Section,
        or standard: RateLimit?,
        _ parse: (String) throws(RateLimitError) -> RateLimit
    ) -> RateLimit? {
        guard let text = section.text(name) else { return standard }
        guard !text.value.isEmpty else { return nil }
        do {
            return try parse(text.value)
        } catch {
            section.reader.report(error.description, at: text.origin)
            return nil
        }
    }
}
