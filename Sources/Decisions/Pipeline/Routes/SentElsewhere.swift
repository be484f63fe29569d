import HTTP1
import WireFormats

/// The answer that sends a client to a signed URL: a redirect, or for scripts that ask for it, what a redirect can't say.
struct SentElsewhere {
    private let url: SignedURL
    private let method: HTTPMethod
    private let wantsDocument: Bool

    init(_ url: SignedURL, _ head: RequestHead, _ route: Route) {
        self.url = url
        method = head.method
        // Where we may as well send the object itself, the client's word is about that.
        wantsDocument = Self.wantsDocument(head, of: route)
    }

    /// Whether a script says that it does not want to be sent on, of a route that never carries.
    static func wantsDocument(_ head: RequestHead, of route: Route) -> Bool {
        route.delivery == .redirect && AcceptedForm(head.fields) == .json
    }

    var reply: Reply {
        var fields = FieldBlock(reservingBytes: 1024, fields: 4)
        fields.append("cache-control", "no-store")
        // The page behind it must not tell others where it was.
        fields.append("referrer-policy", "no-referrer")
        guard wantsDocument else {
            fields.append("location", url.url)
            // 307 keeps the method and the body (RFC 9110, section 15.4.8).
            return Reply(status: method == .put ? 307 : 302, fields: fields)
        }
        fields.append("content-type", "application/json")
        return Reply(status: 200, fields: fields, body: document.text)
    }

    private var document: StrictJSON {
        var members: [(name: String, value: StrictJSON)] = [
            ("url", .string(url.url)),
            ("method", .string(url.method.name)),
            (
                "headers",
                .object(
                    url.fields.entries.map { entry in
                        (
                            name: String(decoding: url.fields.name(entry), as: UTF8.self),
                            value: .string(String(decoding: url.fields.value(entry), as: UTF8.self))
                        )
                    }
                )
            ),
            ("expires_at", .string(Timestamp.iso8601(url.expiresAt))),
        ]
        if let cap = url.cappedBy { members.append(("capped_by", .string(cap.rawValue))) }
        return .object(members)
    }
}
