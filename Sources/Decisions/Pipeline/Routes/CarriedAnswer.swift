import HTTP1
import Identity

/// What a route says of an object besides what its store does.
struct CarriedAnswer: AnswerView {
    let route: Route
    let principal: Principal

    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer {
        .stream(status: status, fields: self.fields(fields, status))
    }

    private func fields(_ fields: FieldBlock, _ status: Int) -> FieldBlock {
        let isObject = status == 200 || status == 206
        var result = FieldBlock(reservingBytes: fields.bytes.count + 256, fields: fields.entries.count + 5)
        for entry in fields.entries {
            if isObject, isReplaced(entry, fields) { continue }
            result.append(entry, of: fields, lowercasing: .nothing)
        }
        if isObject {
            if let type = route.contentType { result.append("content-type", type) }
            if let disposition = route.contentDisposition { result.append("content-disposition", disposition) }
            // A page of somebody's upload must not act as one of ours.
            if ActiveContent.isActive(result.first("content-type")) {
                result.append("content-security-policy", "sandbox")
            }
        }
        return principal == .anonymous ? result : CacheTerms.byAnyCredential.applied(to: result)
    }

    private func isReplaced(_ entry: FieldBlock.Entry, _ fields: FieldBlock) -> Bool {
        (route.contentType != nil && fields.isNamed(entry, "content-type"))
            || (route.contentDisposition != nil && fields.isNamed(entry, "content-disposition"))
    }
}
