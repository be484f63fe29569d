import HTTP1
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

/// Whatever we accept, NIOHTTP1's llhttp must accept and understand alike; where it accepts what we refuse, the reason
/// must be among those we are stricter for on purpose.
struct LlhttpDifferentialTests {
    /// What llhttp (with NIO's settings) lets pass and we do not, and why.
    private static let strictness: [HTTPRefusal: String] = [
        .missingHost: "left to the application there",
        .repeatedHost: "left to the application there",
        .invalidHost: "left to the application there",
        .hostDisagrees: "left to the application there",
        .targetNotForMethod: "'*' only for OPTIONS",
        .invalidTarget: "http and https only; no user information; ASCII only",
        .fragmentInTarget: "a fragment is never sent",
        .invalidConnection: "tokens only",
        .unknownExpectation: "left to the application there",
        .transferEncodingOnHTTP10: "such a message's framing is faulty by RFC 9112, section 6.1",
        .malformedTransferEncoding: "an empty value or member",
        .unknownTransferCoding: "codings before chunked cannot be decoded here",
        .repeatedTransferEncoding: "a list over several lines",
        .chunkExtension: "no S3 client sends any",
        .invalidContentLength: "at most what fits an Int64, in 19 digits",
        .emptyLine: "one empty line before a request, not several",
        .bareLineFeed: "an empty line of LF before a request",
        .bareCarriageReturn: "a CR before a request",
        .malformedVersion: "one space before the version, not several",
    ]

    @Test func whatWeAcceptLlhttpUnderstandsAlike() {
        var random = SplitMix(seed: 2026)
        var counts = Tally()
        for round in 0..<8000 {
            let input = MutatedRequest.next(&random)
            let ours = Conversation(.requests, input)
            let theirs = LlhttpConversation(input)
            let name = "round \(round): \(String(decoding: input, as: UTF8.self).debugDescription)"
            let accepted = ours.messages.filter(\.isComplete)
            // llhttp knows a fixed list of methods; we let others through, to be refused by name later.
            if theirs.error == "invalid HTTP method", ours.refusal == nil {
                let next = accepted.dropFirst(theirs.messages.count).first
                #expect(!["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"].contains(next?.method), "\(name)")
                continue
            }
            if let refusal = ours.refusal {
                counts.refused += 1
                if theirs.error == nil || theirs.messages.count > accepted.count {
                    counts.stricter[refusal, default: 0] += 1
                    #expect(Self.strictness[refusal] != nil, "\(refusal) \(name)")
                }
            } else {
                counts.accepted += 1
                #expect(theirs.error == nil || ours.isClosed, "llhttp: \(theirs.error ?? "") \(name)")
            }
            #expect(accepted.count <= theirs.messages.count, "\(name)")
            for (one, other) in zip(accepted, theirs.messages) {
                // Where both `close` and `keep-alive` are said, NIO goes on and we close.
                #expect(!one.isKeptAlive || other.isKeptAlive, "\(name)")
                var same = LlhttpConversation.Message(one)
                same.isKeptAlive = other.isKeptAlive
                #expect(same == other, "\(name)")
            }
        }
        #expect(counts.accepted > 1000)
        #expect(counts.refused > 1000)
    }

    private struct Tally {
        var accepted = 0
        var refused = 0
        var stricter: [HTTPRefusal: Int] = [:]
    }
}

/// The messages that NIOHTTP1 makes of one connection's bytes.
private struct LlhttpConversation {
    struct Message: Equatable {
        var method: String
        var uri: String
        var version: String
        var fields: [[UInt8]]
        var body: [UInt8] = []
        var isKeptAlive: Bool
    }

    private(set) var messages: [Message] = []
    private(set) var error: String?

    init(_ bytes: [UInt8]) {
        let channel = EmbeddedChannel(
            handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
        )
        do {
            try channel.writeInbound(ByteBuffer(bytes: bytes))
        } catch {
            self.error = "\(error)"
        }
        var open: Message?
        while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                open = Message(
                    method: head.method.rawValue,
                    uri: Self.originForm(of: head.uri),
                    version: "\(head.version.major).\(head.version.minor)",
                    fields: head.headers.map { Array("\($0.name):\(Self.trimmed($0.value))".utf8) },
                    isKeptAlive: head.isKeepAlive
                )
            case .body(let buffer):
                open?.body += buffer.readableBytesView
            case .end:
                if let message = open { messages.append(message) }
                open = nil
            }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    /// It leaves a tab at the end of a value.
    private static func trimmed(_ value: String) -> Substring {
        var value = value[...]
        while value.last == " " || value.last == "\t" { value.removeLast() }
        return value
    }

    /// NIO leaves the absolute form as it is.
    private static func originForm(of uri: String) -> String {
        guard uri.lowercased().hasPrefix("http") else { return uri }
        let path = uri.drop { $0 != "/" }.dropFirst(2).drop { $0 != "/" && $0 != "?" }
        return path.hasPrefix("/") ? String(path) : "/" + path
    }
}

extension Conversation.Message {
    fileprivate var method: String { String(start.prefix { $0 != " " }) }
}

extension LlhttpConversation.Message {
    /// Ours in its terms. NIO makes strings of everything, so bytes that are not UTF-8 are repaired on both sides.
    init(_ message: Conversation.Message) {
        let words = message.start.split(separator: " ")
        self.init(
            method: message.method,
            uri: String(words[1]),
            version: words[2] == "http11" ? "1.1" : "1.0",
            fields: message.fields.map { Array(String(decoding: $0, as: UTF8.self).utf8) },
            body: message.body,
            isKeptAlive: message.isKeptAlive
        )
    }
}
