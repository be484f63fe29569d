import Crypto
public import HTTP1
import S3API
import Signatures
public import WireFormats

/// A request to the JSON API under `/-/v1`: read whole, from a caller who is known.
public struct APICall: Sendable {
    public let head: RequestHead
    /// The segments behind `/-/v1/`, each decoded once; never empty, and none of them is.
    public let path: [String]
    public let query: Query
    public let body: [UInt8]
    public let caller: Rights
    /// Where it comes from, for the log.
    public let source: String
    public let requestID: RequestID
    public let now: Instant
}

/// Answers the JSON API: an I/O port, since what it issues is written down before it is answered.
public protocol APIDesk: Sendable {
    /// What it answers, as an OpenAPI document.
    var document: [UInt8] { get }
    func answer(_ call: APICall) async -> Reply
    /// Takes in what a store says has happened.
    func take(_ push: EventPush.Delivered) async -> Reply
}

extension APIDesk {
    /// Nobody listens to stores.
    public func take(_ push: EventPush.Delivered) async -> Reply { Reply(status: 404) }
}

/// The stage that reads a call to the JSON API.
struct APIReading {
    /// A batch of a hundred items fits.
    private static let longestBody = 1 << 20

    let segments: [String]
    let query: Query

    /// - Throws: `InvalidURI` for what is not properly encoded, or has an empty segment.
    init(_ path: ArraySlice<UInt8>, _ query: Query) throws(Refusal) {
        self.query = query
        segments = try path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { (segment) throws(Refusal) in
                guard let bytes = try? PercentEncoding.decode(segment), !bytes.isEmpty,
                    let text = String(validating: bytes, as: UTF8.self)
                else { throw .request(S3Error(.invalidURI)) }
                return text
            }
    }

    func plan(for caller: Authenticated, _ asking: Asking, at desk: any APIDesk) throws(Refusal) -> Plan {
        if case .length(let length) = asking.head.framing, length > Int64(Self.longestBody) {
            throw .request(S3Error(.maxMessageLengthExceeded))
        }
        let payload = caller.payload
        let rights = Rights(caller, asking)
        return .collect(limit: Self.longestBody) { body in
            switch payload {
            case .unsigned: break
            case .sha256(let signed):
                guard Array(SHA256.hash(data: body)) == signed else {
                    return .reply(asking.reply(S3Error(.contentSHA256Mismatch)))
                }
            case .chunked:
                return .reply(asking.reply(S3Error(.notImplemented, "This body is not a stream of chunks.")))
            }
            let call = APICall(
                head: asking.head,
                path: segments,
                query: query,
                body: body,
                caller: rights,
                source: rights.sourceAddress?.description ?? "unknown",
                requestID: asking.requestID,
                now: asking.now
            )
            return .wait { .reply(await desk.answer(call)) }
        }
    }
}
