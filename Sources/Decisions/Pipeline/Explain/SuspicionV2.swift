import HTTP1
import S3API
import Signatures
import WireFormats

/// The same for version 2, which signs less: neither host nor body.
enum SuspicionV2 {
    typealias Variant = (finding: Explanation.Finding, head: RequestHead, bucket: String?)

    static func list(_ asking: Asking, _ located: Located?, _ bucket: String?) -> [Variant] {
        let head = asking.head
        var list: [Variant] = []
        for method in [HTTPMethod.get, .head, .put, .post, .delete] where method != head.method {
            list.append(
                (
                    .init(
                        .wrongMethod,
                        "The signature is right for \(method.name), but the request is a \(head.method.name): a URL is good "
                            + "for one method."
                    ),
                    head.replacing(method: method, query: head.query), bucket
                )
            )
        }
        for name in ["content-type", "content-md5"]
        where head.fields.entries.contains(where: { head.fields.name($0).lazy.map(lowered).elementsEqual(name.utf8) }) {
            list.append(
                (
                    .init(
                        .headerChanged,
                        "The client sends \(name), and the URL was signed without: version 2 covers it. Name it when the URL "
                            + "is made, or do not send it."
                    ),
                    head.without(field: name), bucket
                )
            )
        }
        for (from, to, words) in [
            ("+", "%20", "A space was signed where the path has '+'. In a path '+' is a plus; a space is %20."),
            ("%20", "+", "A '+' was signed where a space (%20) arrived: send %2B for a plus."),
        ] {
            let path = head.path.replacing(Array(from.utf8), with: Array(to.utf8))
            list.append((.init(.plusSign, words), head.replacing(path: path, query: head.query), bucket))
        }
        let once = head.path.replacing(Array("%25".utf8), with: [UInt8(ascii: "%")])
        list.append(
            (
                .init(.doubleEncoding, "The path arrived encoded twice (%25 for %), and was signed encoded once."),
                head.replacing(path: once, query: head.query), bucket
            )
        )
        if let name = located?.address.bucket?.string {
            let message =
                "The signature names the bucket where the request does not: client and gateway differ in whether the "
                + "bucket stands in the host or in the path (server.domains)."
            if bucket == nil {
                let rest = Array(head.path.dropFirst(1 + name.utf8.count))
                list.append((.init(.wrongHost, message), head.replacing(path: rest, query: head.query), nil))
            } else {
                list.append((.init(.wrongHost, message), head, nil))
            }
        }
        return list
    }
}

extension [UInt8] {
    /// With each occurrence replaced; what `new` brings is not looked at again.
    func replacing(_ old: [UInt8], with new: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var index = 0
        while index < count {
            if self[index...].starts(with: old) {
                result += new
                index += old.count
            } else {
                result.append(self[index])
                index += 1
            }
        }
        return result
    }
}
