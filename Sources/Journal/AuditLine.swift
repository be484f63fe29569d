package import Identity
package import WireFormats

/// One decision as the audit log keeps it: who wanted what, what was decided and why. The loop writes this body;
/// the writer adds sequence, previous hash, hash and HMAC around it (``AuditChain``).
package enum AuditLine {
    /// The members of the line's object without braces, in a fixed order.
    package static func append(_ record: RequestRecord, clock: inout LineClock, to line: inout [UInt8]) {
        LineText.append("\"time\":\"", to: &line)
        clock.append(record.startedAt, to: &line)
        LineText.append("\",\"request_id\":\"", to: &line)
        record.requestID.append(to: &line)
        LineText.append("\",\"who\":\"", to: &line)
        LineText.append(record.principal, to: &line)
        LineText.append("\",\"source\":", to: &line)
        LineText.appendQuoted(record.clientAddress, limit: 64, to: &line)
        LineText.append(",\"action\":\"", to: &line)
        LineText.append(record.operation, to: &line)
        line.append(UInt8(ascii: "\""))
        appendTarget(bucket: record.bucket, key: record.key, to: &line)
        if let copied = record.copied {
            LineText.append(",\"copied_from\":{\"bucket\":", to: &line)
            LineText.appendQuoted(copied.bucket, limit: 255, to: &line)
            LineText.append(",\"key\":", to: &line)
            LineText.appendQuoted(copied.key, limit: 1024, to: &line)
            line.append(UInt8(ascii: "}"))
        }
        LineText.append(",\"verdict\":\"", to: &line)
        LineText.append(record.verdict.name, to: &line)
        LineText.append("\",\"reason\":", to: &line)
        LineText.appendQuoted(record.reason, limit: 512, to: &line)
        if record.status > 0 {
            LineText.append(",\"status\":", to: &line)
            LineText.append(record.status, to: &line)
        }
    }

    /// An action that no data-plane request made: a login at the admin listener, a reload, an issued artefact.
    package static func append(_ action: AuditedAction, to line: inout [UInt8]) {
        var clock = LineClock()
        LineText.append("\"time\":\"", to: &line)
        clock.append(action.at, to: &line)
        if let requestID = action.requestID {
            LineText.append("\",\"request_id\":\"", to: &line)
            requestID.append(to: &line)
        }
        LineText.append("\",\"who\":\"", to: &line)
        LineText.append(action.principal, to: &line)
        LineText.append("\",\"source\":", to: &line)
        LineText.appendQuoted(action.source, limit: 64, to: &line)
        LineText.append(",\"action\":\"", to: &line)
        LineText.append(action.action, to: &line)
        line.append(UInt8(ascii: "\""))
        appendTarget(bucket: action.bucket, key: action.key, to: &line)
        LineText.append(",\"verdict\":\"", to: &line)
        LineText.append(action.verdict.name, to: &line)
        LineText.append("\",\"reason\":", to: &line)
        LineText.appendQuoted(action.reason, limit: 512, to: &line)
        if let issued = action.issued {
            LineText.append(",\"issued\":{\"kind\":\"", to: &line)
            LineText.append(issued.kind, to: &line)
            LineText.append("\",\"id\":", to: &line)
            LineText.appendQuoted(issued.id, limit: 128, to: &line)
            line.append(UInt8(ascii: "}"))
        }
        if let until = action.validUntil {
            LineText.append(",\"valid_until\":\"", to: &line)
            clock.append(until, to: &line)
            line.append(UInt8(ascii: "\""))
        }
    }

    private static func appendTarget(bucket: String?, key: [UInt8]?, to line: inout [UInt8]) {
        if let bucket {
            LineText.append(",\"bucket\":", to: &line)
            LineText.appendQuoted(bucket, limit: 255, to: &line)
        }
        if let key {
            LineText.append(",\"key\":", to: &line)
            LineText.appendQuoted(key, limit: 1024, to: &line)
        }
    }
}

/// What the control plane did for somebody.
package struct AuditedAction: Sendable {
    package var at: Instant
    package var principal: Principal?
    /// The peer's address; `socket` for the command line, `store` and `reaper` where nobody asked.
    package var source: String
    package var action: StaticString
    package var bucket: String?
    package var key: [UInt8]?
    package var verdict: RecordedVerdict
    package var reason: String
    /// What was handed out.
    package var issued: IssuedArtefact?
    /// Until when an issued artefact is good.
    package var validUntil: Instant?
    /// Of the request that asked for it; nil: it was none of the public listener's.
    package var requestID: RequestID?

    package init(
        at: Instant,
        principal: Principal?,
        source: String,
        action: StaticString,
        bucket: String? = nil,
        key: [UInt8]? = nil,
        verdict: RecordedVerdict,
        reason: String,
        issued: IssuedArtefact? = nil,
        validUntil: Instant? = nil,
        requestID: RequestID? = nil
    ) {
        self.at = at
        self.principal = principal
        self.source = source
        self.action = action
        self.bucket = bucket
        self.key = key
        self.verdict = verdict
        self.reason = reason
        self.issued = issued
        self.validUntil = validUntil
        self.requestID = requestID
    }
}

/// Something that was handed out and works on its own from then on: a signed URL, an upload slot, a grant, a link.
package struct IssuedArtefact: Sendable {
    /// Of a closed list.
    package let kind: StaticString
    /// Names it without being of use to anybody; where its use passes through Gatehouse, those lines have it too.
    package let id: String

    package init(kind: StaticString, id: String) {
        self.kind = kind
        self.id = id
    }
}
