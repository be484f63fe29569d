import HTTP1
import Identity
import S3API

/// Types of documents in which browsers run what is written there: HTML, and whatever is XML.
enum ActiveContent {
    /// - Parameter type: a `Content-Type`; nil: none is said, and a browser might guess.
    static func isActive(_ type: ArraySlice<UInt8>?) -> Bool {
        guard let type else { return true }
        let essence = type.drop { $0 == 0x20 || $0 == 0x09 }
            .prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: ",") && $0 != 0x20 && $0 != 0x09 }
            .map { lowered($0) }
        return active.contains { essence.elementsEqual($0.utf8) } || essence.suffix(4).elementsEqual("+xml".utf8)
            || essence.starts(with: "multipart/".utf8) || !essence.contains(UInt8(ascii: "/"))
            || type.contains(UInt8(ascii: ","))
    }

    private static let active = ["text/html", "text/xml", "application/xml", "text/xsl"]
}

extension Snapshot {
    /// Whether browsers show somebody's token to this origin of their own accord: to routes, for a provider's cookie.
    private var hasCookieCallers: Bool { identityProviders.contains { $0.cookie != nil } }

    /// The same, where a browser may open the object as a page of the origin that takes cookies: that page must not act on
    /// behalf of whoever looks at it. Only what needs no header can be opened; a bucket's own host is another origin.
    func isolating(_ plan: Plan, of request: S3Request, _ located: Located, _ head: RequestHead) -> Plan {
        guard case .forward(let forward) = plan, request.operation == .getObject, hasCookieCallers,
            located.style == .path, head.fields.count(of: "authorization") == 0, head.fields.count(of: "x-api-key") == 0
        else { return plan }
        return .forward(forward.seen(through: IsolatedAnswer()))
    }
}

/// An object that a browser may open as a page of an origin that it must not act for.
private struct IsolatedAnswer: AnswerView {
    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer {
        var fields = fields
        // Beside what the store says: browsers heed all of them.
        if ActiveContent.isActive(fields.first("content-type")) { fields.append("content-security-policy", "sandbox") }
        return .stream(status: status, fields: fields)
    }
}
