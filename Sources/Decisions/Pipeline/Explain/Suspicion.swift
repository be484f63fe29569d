import HTTP1
import S3API
import Signatures
import WireFormats

/// What a client may have signed instead of what arrived: a request that differs in one thing, and the words for it.
struct Suspicion {
    let finding: Explanation.Finding
    let trial: SignatureTrial

    init(_ code: Explanation.Finding.Code, _ message: String, _ trial: SignatureTrial) {
        finding = .init(code, message)
        self.trial = trial
    }

    /// The first that explains the signature.
    ///
    /// - Parameter trials: the request as it arrived, for each host that serving tries; one at least.
    static func explanation(
        of trials: [SignatureTrial],
        _ diagnosis: SignatureDiagnosis,
        isSigned: (SignatureTrial) -> Bool
    ) -> Explanation.Finding? {
        guard let first = trials.first else { return nil }
        if let found = hosts(first, diagnosis).first(where: { isSigned($0.trial) }) { return found.finding }
        let head = diagnosis.asking.head
        let ways: [(SignatureTrial) -> [Suspicion]] = [
            methods, { paths($0, head) }, { queries($0, head) }, payloads, headers,
        ]
        for make in ways {
            for trial in trials {
                if let found = make(trial).first(where: { isSigned($0.trial) }) { return found.finding }
            }
        }
        return nil
    }

    // MARK: - Method and path

    private static func methods(_ trial: SignatureTrial) -> [Suspicion] {
        [.get, .head, .put, .post, .delete].filter { $0 != trial.method }.map { method in
            var other = trial
            other.method = method
            return Suspicion(
                .wrongMethod,
                "The signature is right for \(method.name), but the request is a \(trial.method.name): a signature is good "
                    + "for one method, also where it is a presigned URL.",
                other
            )
        }
    }

    private static func paths(_ trial: SignatureTrial, _ head: RequestHead) -> [Suspicion] {
        let path = head.path
        func suspect(_ code: Explanation.Finding.Code, _ text: SignatureTrial.Text, _ message: String) -> Suspicion {
            var other = trial
            other.path = text
            return Suspicion(code, message, other)
        }
        let decoded = (try? PercentEncoding.decode(path)) ?? path
        let encoded = PercentEncoding.encode(decoded, keepSlash: .keep)
        let twice =
            "The client encoded the path twice for signing, as other services of AWS want it; S3 wants it once "
            + "(double encoding off: service 's3', not a general SigV4 signer)."
        var list = [
            suspect(.doubleEncoding, .literal(PercentEncoding.encode(encoded, keepSlash: .keep)), twice),
            suspect(.doubleEncoding, .literal(PercentEncoding.encode(path, keepSlash: .keep)), twice),
            suspect(
                .doubleEncoding,
                .received(path.replacing(Array("%25".utf8), with: [UInt8(ascii: "%")])),
                "The path arrived encoded twice (%25 for %), and was signed encoded once: something on the way, or the "
                    + "client itself, encoded the URL again."
            ),
            suspect(
                .plusSign,
                .received(path.replacing([UInt8(ascii: "+")], with: Array("%20".utf8))),
                "A space was signed where the path has '+'. In a path '+' is a plus; a space is %20."
            ),
            suspect(
                .plusSign,
                .received(path.replacing(Array("%20".utf8), with: Array("%2B".utf8))),
                "A '+' was signed where a space (%20) arrived: send %2B for a plus."
            ),
            suspect(
                .plusSign,
                .received(path.replacing(Array("%2B".utf8), with: Array("%20".utf8))),
                "A space was signed where a plus (%2B) arrived."
            ),
            suspect(
                .wrongPath,
                .literal(path),
                "The client signed the path as it stands, without encoding it: each byte but letters, digits and -._~/ is "
                    + "signed as %XX with capital letters."
            ),
            suspect(.wrongPath, .literal(decoded), "The client signed the path decoded; it is signed percent-encoded."),
        ]
        let slashes = "The path's slashes were changed after signing: "
        list.append(
            suspect(
                .wrongPath,
                .received(collapsed(path)),
                slashes + "the client signed '/' where '//' arrived. Keys are taken as they are; nothing is normalised."
            )
        )
        list.append(
            suspect(.wrongPath, .received(path + [UInt8(ascii: "/")]), slashes + "one at the end was taken away.")
        )
        if path.count > 1, path.last == UInt8(ascii: "/") {
            list.append(suspect(.wrongPath, .received(Array(path.dropLast())), slashes + "one was added at the end."))
        }
        return list
    }

    private static func collapsed(_ path: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        for byte in path where byte != UInt8(ascii: "/") || result.last != byte { result.append(byte) }
        return result
    }

    // MARK: - Query

    private static func queries(_ trial: SignatureTrial, _ head: RequestHead) -> [Suspicion] {
        guard let query = head.query, !query.isEmpty else { return [] }
        func suspect(_ code: Explanation.Finding.Code, _ text: SignatureTrial.Text, _ message: String) -> Suspicion {
            var other = trial
            other.query = text
            return Suspicion(code, message, other)
        }
        let ampersand = UInt8(ascii: "&")
        let items = query.split(separator: ampersand)
        var list = [
            suspect(
                .plusSign,
                .received(query.replacing([UInt8(ascii: "+")], with: Array("%2B".utf8))),
                "A plus was signed where the query has '+', which is read as a space: send %2B for a plus."
            ),
            suspect(
                .plusSign,
                .received(query.replacing(Array("%2B".utf8), with: Array("%20".utf8))),
                "A space was signed where the query has a plus (%2B)."
            ),
            suspect(
                .plusSign,
                .received(query.replacing(Array("%20".utf8), with: Array("%2B".utf8))),
                "A plus was signed where the query has a space (%20)."
            ),
            suspect(
                .doubleEncoding,
                .received(query.replacing(Array("%25".utf8), with: [UInt8(ascii: "%")])),
                "The query arrived encoded twice (%25 for %), and was signed encoded once."
            ),
            suspect(
                .doubleEncoding,
                .received(query.replacing([UInt8(ascii: "%")], with: Array("%25".utf8))),
                "The client encoded the query twice for signing; it is signed encoded once."
            ),
            suspect(
                .queryChanged,
                .literal(query),
                "The client signed the query as it stands, without encoding it: each byte of a name or value but letters, "
                    + "digits and -._~ is signed as %XX with capital letters, a space as %20."
            ),
        ]
        let own = items.enumerated().filter { !$0.element.prefix(6).map(lowered).elementsEqual("x-amz-".utf8) }
        for (place, item) in own.prefix(32) {
            var rest = items
            rest.remove(at: place)
            list.append(
                suspect(
                    .queryChanged,
                    .received(Array(rest.joined(separator: [ampersand]))),
                    "The parameter \(quoted(item.prefix { $0 != UInt8(ascii: "=") })) was added after signing."
                )
            )
        }
        let signed = items.filter { $0.prefix(6).map(lowered).elementsEqual("x-amz-".utf8) }
        list.append(
            suspect(
                .queryChanged,
                .received(Array(signed.joined(separator: [ampersand]))),
                "The query's parameters were added after signing."
            )
        )
        return list
    }

    // MARK: - Body and headers

    private static func payloads(_ trial: SignatureTrial) -> [Suspicion] {
        var empty: [UInt8] = []
        PayloadHash.empty.append(to: &empty)
        let name = "x-amz-content-sha256"
        return [Array("UNSIGNED-PAYLOAD".utf8), empty].flatMap { text in
            let what = text == empty ? "the hash of nothing" : "UNSIGNED-PAYLOAD"
            let message =
                "The signature is right for a body of \(what), which is not what the request states "
                + "(x-amz-content-sha256; UNSIGNED-PAYLOAD where a presigned URL has none)."
            var line = trial
            line.payload = text
            var both = line
            both.fields = trial.fields.replacing(name, with: text)
            return [Suspicion(.bodyHash, message, line), Suspicion(.bodyHash, message, both)]
        }
    }

    /// Values that things in between are known to change.
    private static func headers(_ trial: SignatureTrial) -> [Suspicion] {
        (0..<trial.signedHeaders.count).flatMap { index -> [Suspicion] in
            let name = String(decoding: trial.signedHeaders.name(index), as: UTF8.self)
            return former(name, trial.fields).map { value in
                var other = trial
                other.fields = trial.fields.replacing(name, with: value)
                return Suspicion(
                    .headerChanged,
                    "The header \(quoted(name)) was changed after signing: the signature is right for \(quoted(value)). Keep "
                        + "whatever is in between from changing it, or the client from signing it.",
                    other
                )
            }
        }
    }

    /// What a field may have been.
    private static func former(_ name: String, _ fields: FieldBlock) -> [[UInt8]] {
        let values = fields.entries.filter { fields.name($0).lazy.map(lowered).elementsEqual(name.utf8) }
            .map { fields.value($0) }
        guard let value = values.first else { return [] }
        switch name {
        case "content-type":
            let essence = Array(value.prefix { $0 != UInt8(ascii: ";") })
            return [
                essence, essence + Array("; charset=utf-8".utf8), essence + Array("; charset=UTF-8".utf8), [],
                Array("application/octet-stream".utf8), Array("binary/octet-stream".utf8),
            ]
        case "accept-encoding":
            return ["identity", "gzip", "gzip, deflate", "gzip, deflate, br", "*", ""].map { Array($0.utf8) }
        case "connection", "te", "expect":
            return ["keep-alive", "close", "", "100-continue", "trailers"].map { Array($0.utf8) }
        case "accept":
            return ["*/*", "application/json", ""].map { Array($0.utf8) }
        case "content-length":
            return [Array("0".utf8), []]
        default:
            // A list that grew on the way.
            guard let comma = value.lastIndex(of: UInt8(ascii: ",")) else { return [] }
            return [Array(value[..<comma]), Array(value.prefix { $0 != UInt8(ascii: ",") })]
        }
    }
}
