package import WireFormats

/// `[authorizer]`: the application that may veto.
package struct AuthorizerConfiguration: Sendable {
    package enum OnError: String, CaseIterable, Sendable {
        case deny, allow
    }

    package let url: ServiceURL
    package let timeout: Duration
    package let onError: OnError

    init?(reading section: Section) {
        let reader = section.reader
        let url = section.required("url").flatMap { text -> ServiceURL? in
            guard let url = ServiceURL(text.value) else {
                reader.report(
                    "\(quoted(text.value)) is not a URL",
                    at: text.origin,
                    suggestion: "write it like \"http://127.0.0.1:8080/authorize\""
                )
                return nil
            }
            if !url.isPrivate {
                reader.report(
                    "asks another machine without https: whoever is on the way can answer",
                    at: text.origin,
                    severity: .warning
                )
            }
            return url
        }
        timeout = section.duration("timeout", or: .milliseconds(200))
        onError = section.choice("on_error", or: .deny)
        if timeout > .seconds(10) { reader.report("must be at most 10s", at: section.place(of: "timeout")) }
        section.finish()
        guard let url else { return nil }
        self.url = url
    }
}
