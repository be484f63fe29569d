import HTTP1
import S3API

/// What the holder of a link is answered: kept by nobody on the way, told to nobody else, and unable to act as a page of
/// ours.
struct LinkAnswer: AnswerView {
    let asking: Asking

    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer {
        switch status {
        case 200, 206, 304: .stream(status: status, fields: Self.fields(fields))
        default: .reply(asking.noSuchLink)
        }
    }

    func replied(_ reply: Reply, to head: ResponseHead) -> Reply {
        // Where the store refused nothing, what it said was found to be no answer.
        let status = head.status < 300 ? reply.status : head.status
        var told =
            switch status {
            case 412, 416: Self.unmet(status, head)
            case 500...: asking.storeFailed
            // An object that is not there, and one that its store does not give: as if there were no link.
            default: asking.noSuchLink
            }
        told.reason = reply.reason
        return told
    }

    /// A condition or a range that the object does not meet. What stores say besides would name it.
    private static func unmet(_ status: Int, _ head: ResponseHead) -> Reply {
        var told = FieldBlock(reservingBytes: 128, fields: 4)
        for entry in head.fields.entries where head.fields.isNamed(entry, "content-range") {
            told.append(entry, of: head.fields, lowercasing: .name)
        }
        return Reply(status: status, fields: fields(told))
    }

    static func fields(_ fields: FieldBlock) -> FieldBlock {
        var result = FieldBlock(reservingBytes: fields.bytes.count + 128, fields: fields.entries.count + 4)
        for entry in fields.entries where !isReplaced(entry, fields) {
            result.append(entry, of: fields, lowercasing: .nothing)
        }
        result.append("cache-control", "no-store")
        result.append("referrer-policy", "no-referrer")
        if ActiveContent.isActive(result.first("content-type")) { result.append("content-security-policy", "sandbox") }
        return result
    }

    private static func isReplaced(_ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        fields.isNamed(entry, "cache-control") || fields.isNamed(entry, "expires")
            || fields.isNamed(entry, "referrer-policy") || fields.isNamed(entry, "content-security-policy")
    }
}

extension Asking {
    /// The same for every link that is good for nothing.
    var noSuchLink: Reply {
        var reply = nothingHere
        reply.fields.append("referrer-policy", "no-referrer")
        if reply.fields.first("cache-control") == nil { reply.fields.append("cache-control", "no-store") }
        return reply
    }

    fileprivate var storeFailed: Reply {
        reply(S3Error(.serviceUnavailable, retryAfter: 1))
    }
}
