import Admission
import Crypto
import HTTP1
import S3API
import Signatures
import WireFormats

/// A request with a link: `/-/l/{token}` for an object, `/-/l/{token}/{key}` for one behind a prefix, or `?gh-link=` with
/// the object's own path. Whoever has the token may read what it was made for, and nothing else.
struct LinkRequest {
    /// The SHA-256 of the token.
    let hash: [UInt8]
    private let place: Place

    private enum Place {
        /// What stands behind the token's slash, encoded as it came; nil: nothing does.
        case own(key: ArraySlice<UInt8>?)
        case s3(S3Address, Query)
    }

    /// - Parameter rest: of the path, behind `/-/l/`.
    init(path rest: ArraySlice<UInt8>) {
        let token = rest.prefix { $0 != UInt8(ascii: "/") }
        hash = Self.hash(token)
        place = .own(key: token.endIndex == rest.endIndex ? nil : rest[(token.endIndex + 1)...])
    }

    /// Nil where the query holds no link.
    init?(_ located: Located) {
        guard !located.query.isEmpty, let token = located.query.first("gh-link") else { return nil }
        // Two are none: nobody has an empty token.
        hash = Self.hash(located.query.count(of: "gh-link") == 1 ? token[...] : [])
        place = .s3(located.address, located.query)
    }

    static func hash(_ token: some Sequence<UInt8>) -> [UInt8] {
        var hash = SHA256()
        token.withContiguousStorageIfAvailable { hash.update(bufferPointer: UnsafeRawBufferPointer($0)) }
            ?? hash.update(data: Array(token))
        return Array(hash.finalize())
    }

    /// The same as a plain request for the object, without a trace of the token, and the object. That is what was read here,
    /// once: the plain request's path under the same host may mean something else.
    ///
    /// - Throws: what a link that nobody made is answered with, where this one is for something else.
    func request(_ asking: Asking, by right: GivenRight) throws(Refusal) -> (plain: Asking, located: Located) {
        let address: S3Address
        var query = Query()
        switch place {
        case .own(let encoded):
            address = try self.address(encoded, right, asking.snapshot.server.keyRules)
        case .s3(let given, let sent):
            address = given
            for item in sent.items where !item.name.elementsEqual("gh-link".utf8) {
                query.append(item.name, item.value)
            }
            guard !sent.items.contains(where: { $0.name.starts(with: "response-".utf8) }) else { throw .noSuchLink }
        }
        guard case .object(let bucket, let key) = address else { throw .noSuchLink }
        var path = Array("/\(bucket)/".utf8)
        PercentEncoding.append(key.bytes, to: &path, keepSlash: .keep)
        var canonical: [UInt8] = []
        query.appendCanonical(to: &canonical)
        let head = asking.head
        let plain = asking.with(
            head: RequestHead(
                method: head.method,
                version: head.version,
                path: path,
                query: canonical.isEmpty ? nil : canonical,
                fields: head.fields,
                framing: head.framing,
                keepAlive: head.keepAlive,
                expectsContinue: head.expectsContinue,
                host: head.host
            )
        )
        return (plain, Located(bucket, key, query: query, plain))
    }

    private func address(
        _ encoded: ArraySlice<UInt8>?,
        _ right: GivenRight,
        _ rules: KeyRules
    ) throws(Refusal) -> S3Address {
        switch (right.reach, encoded) {
        case (.key(let key), nil):
            return .object(right.bucket, key)
        case (.prefix, let encoded?):
            let path = Array("/\(right.bucket)/".utf8) + encoded
            guard let located = try? S3Address.locate(host: [], path: path, domains: [], rules: rules) else {
                throw .noSuchLink
            }
            return located.address
        default:
            throw .noSuchLink
        }
    }

    /// Links are read, nothing else, and by nobody who shows something besides.
    static func check(_ head: RequestHead, _ query: Query) throws(Refusal) {
        guard head.method == .get || head.method == .head else { throw .request(S3Error(.methodNotAllowed)) }
        guard head.framing.isEmpty else {
            throw .request(S3Error(.invalidRequest, "Links take no body."))
        }
        guard !isSigned(head, query), head.fields.count(of: "x-api-key") == 0,
            head.fields.count(of: "authorization") == 0, head.fields.count(of: "x-amz-security-token") == 0
        else {
            throw .unauthenticated(
                S3Error(.invalidRequest, "Exactly one credential is allowed."),
                reason: "two credentials",
                failure: "two_credentials"
            )
        }
    }

    private static func isSigned(_ head: RequestHead, _ query: Query) -> Bool {
        do {
            return try PresentedSignature.find(in: head, query: query) != nil
        } catch {
            return true
        }
    }
}

extension Refusal {
    /// For links that are unknown, used up, expired or taken back alike, and for what they were not made for.
    static let noSuchLink = Refusal.unauthenticated(
        S3Error(.noSuchKey),
        reason: "no such link",
        failure: "unknown_link"
    )
}
