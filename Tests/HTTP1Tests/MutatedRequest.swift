/// Requests that were right until a few things were changed, by a seeded generator: most of what attackers send is one
/// byte or one line away from a request. Each is followed by a request that must not be swallowed.
enum MutatedRequest {
    static func next(_ random: inout SplitMix) -> [UInt8] {
        var lines = [requestLine(&random), "Host: a"]
        for _ in 0..<random.below(4) { lines.append(random.pick(plainFields)) }
        var body = ""
        switch random.below(5) {
        case 0:
            lines.append("Content-Length: 5")
            body = "hello"
        case 1:
            lines.append("Transfer-Encoding: chunked")
            body = random.pick(chunkedBodies)
        default: break
        }
        let lineChanges = random.below(3)
        for _ in 0..<lineChanges { changeLines(&lines, &random) }
        var head = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        var tail = Array(body.utf8)
        if lineChanges == 0 || random.below(2) == 0 {
            for _ in 0..<random.below(3) { changeBytes(&head, &random) }
            if !tail.isEmpty, random.below(3) == 0 { changeBytes(&tail, &random) }
        }
        return head + tail + Array("GET /after HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
    }

    private static func requestLine(_ random: inout SplitMix) -> String {
        let method = random.pick(["GET", "PUT", "POST", "DELETE", "HEAD", "OPTIONS"])
        if random.below(20) == 0 { return "OPTIONS * HTTP/1.1" }
        let target = random.pick([
            "/", "/b/k", "/b/k%20x?acl", "/b?list-type=2&prefix=a%2Fb", "//x//", "/?", "/b/\"<k>\\", "http://a/b?c",
        ])
        return "\(method) \(target) \(random.pick(["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0"]))"
    }

    private static func changeLines(_ lines: inout [String], _ random: inout SplitMix) {
        let index = random.below(lines.count)
        switch random.below(5) {
        case 0: lines.insert(random.pick(oddFields), at: 1 + random.below(lines.count))
        case 1: lines.insert(lines[index], at: index)
        case 2: lines.swapAt(index, random.below(lines.count))
        case 3: lines.remove(at: index)
        default: lines.append(random.pick(oddFields))
        }
        if lines.isEmpty { lines.append("GET / HTTP/1.1") }
    }

    private static func changeBytes(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        let index = random.below(bytes.count)
        switch random.below(4) {
        case 0: bytes[index] = random.pick(oddBytes)
        case 1: bytes.insert(random.pick(oddBytes), at: index)
        case 2 where bytes.count > 1: bytes.remove(at: index)
        default: bytes[index] = UInt8(random.below(256))
        }
    }

    private static let oddBytes: [UInt8] =
        Array(" \t\r\n:;,\"\\/?#@%[]{}()<>=+-_0159aAfFgG".utf8) + [
            0, 1, 0x0B, 0x0C, 0x1F, 0x7F, 0x80, 0xA0, 0xC3, 0xFF,
        ]

    private static let plainFields = [
        "X-Amz-Date: 20130524T000000Z", "x-amz-content-sha256: UNSIGNED-PAYLOAD", "Accept: */*", "X-Empty:",
        "Range: bytes=0-9", "User-Agent: a b\tc", "Connection: keep-alive", "Connection: close",
        "Expect: 100-continue", "x-amz-meta-a: \u{e9}",
    ]

    private static let oddFields = [
        "Content-Length: 5", "Content-Length: 6", "Content-Length: 5, 5", "Content-Length: +5", "Content-Length: 0x5",
        "Content-Length: 05", "Content-Length:", "Content-Length: 18446744073709551616", "Content-Length : 5",
        "Content-Length: 9223372036854775808", "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked",
        "Transfer-Encoding: xchunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked, chunked", "Transfer-Encoding:", "Transfer-Encoding : chunked",
        "Transfer-Encoding:\u{b}chunked", "Transfer-Encoding: identity", " folded", "\tfolded", "Host: b", "Host : a",
        "Host: a b", "Host: u@a", "Host:", "no colon", ": no name", "X\u{0}: y", "X: \u{0}", "X: \u{7f}", "X: a\rb",
        "X: a\nb", "Connection: close, keep-alive", "Connection: ;", "Expect: 200-ok",
        "Connection: upgrade", "", "GET /smuggled HTTP/1.1", "X: \(String(repeating: "x", count: 300))",
    ]

    private static let chunkedBodies = [
        "5\r\nhello\r\n0\r\n\r\n", "0\r\n\r\n", "00A\r\n0123456789\r\n0\r\n\r\n",
        "1\r\na\r\n1\r\nb\r\n0\r\nX: y\r\n\r\n",
        "5;a=b\r\nhello\r\n0\r\n\r\n", "5 \r\nhello\r\n0\r\n\r\n", "5\nhello\n0\n\n", "0x5\r\nhello\r\n0\r\n\r\n",
        "10000000000000005\r\nhello\r\n0\r\n\r\n", "5\r\nhello0\r\n\r\n", "5\r\nhello\r\n0\r\nX : y\r\n\r\n",
        "0\r\nContent-Length: 5\r\n\r\n",
    ]
}
