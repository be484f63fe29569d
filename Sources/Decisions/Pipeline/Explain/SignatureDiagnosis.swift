import Crypto
import HTTP1
import Identity
import S3API
import Signatures
import WireFormats

/// Finds out what is wrong with a signature: verifies it as serving does, sets each objection aside as it comes up, and
/// where the signature itself does not match, holds it against what the client may have signed instead.
struct SignatureDiagnosis {
    private let presented: PresentedSignature
    let asking: Asking
    let located: Located?
    private let resource: SignedResource
    /// What serving tries, in this order.
    let hosts: [[UInt8]]
    let otherHosts: [String]
    private let body: [UInt8]?
    private(set) var findings: [Explanation.Finding] = []
    /// Nil for what is no signature of a kind that is checked.
    private(set) var report: Explanation.Signature?

    init(
        _ presented: PresentedSignature,
        _ asking: Asking,
        _ located: Located?,
        _ resource: SignedResource,
        hosts: [[UInt8]],
        otherHosts: [String],
        body: [UInt8]?
    ) {
        self.presented = presented
        self.asking = asking
        self.located = located
        self.resource = resource
        self.hosts = hosts
        self.otherHosts = otherHosts
        self.body = body
    }

    mutating func run() {
        switch presented {
        case .header: check4(.headerV4)
        case .presignedV4: check4(.presignedV4)
        case .presignedV2(let presigned): check2(presigned)
        case .headerV2:
            find(
                .refused,
                "The request is signed with version 2 in the header, which is not accepted: use version 4 "
                    + "(boto3: signature_version='s3v4')."
            )
        case .otherScheme: break
        }
    }

    // MARK: - Version 4

    private mutating func check4(_ form: Explanation.Signature.Form) {
        let trial: SignatureTrial
        do {
            trial = try SignatureTrial(presented, head: asking.head, host: hosts.first ?? asking.head.host)
        } catch {
            report = Explanation.Signature(form: form, accessKeyID: presented.accessKeyID ?? "")
            return find(.refused, error.publicMessage)
        }
        report = Explanation.Signature(form, trial, hosts: hosts, masking: MaskedRequest(asking.head))
        compareBody(trial.statedPayload)
        guard let key = usableKey(trial.scope.accessKeyID) else { return }
        var peeled = Peeled(head: asking.head, now: asking.now, region: asking.snapshot.server.region, service: "s3")
        // Each round sets one objection aside; a head has at most so many fields to object to.
        for _ in 0..<128 {
            do throws(SignatureRefusal) {
                try verify(key.secret, peeled)
                report?.verdict = .right
                return
            } catch {
                guard setAside(error, trial, &peeled) else {
                    if error == .signatureMismatch { mismatch(key, peeled) }
                    return
                }
            }
        }
    }

    /// The request with what was objected to so far put right.
    private struct Peeled {
        var head: RequestHead
        var now: Instant
        var region: String
        var service: String
    }

    private func verify(_ secret: Secret<String>, _ peeled: Peeled) throws(SignatureRefusal) {
        var keys = SigningKeyCache(capacity: 1)
        guard let query = try? Query(parsing: peeled.head.query ?? []) else { throw .ambiguousParameter }
        _ = try SigV4.verify(
            presented,
            head: peeled.head,
            query: query,
            hosts: hosts,
            secret: secret,
            now: peeled.now,
            region: peeled.region,
            service: peeled.service,
            keys: &keys
        )
    }

    /// Names an objection; false: the rest can't be checked.
    private mutating func setAside(
        _ refusal: SignatureRefusal,
        _ trial: SignatureTrial,
        _ peeled: inout Peeled
    ) -> Bool {
        let now = Timestamp.iso8601(asking.now)
        let signedAt = Timestamp.iso8601(trial.signedAt)
        switch refusal {
        case .requestTimeTooSkewed, .notYetValid:
            let age = asking.now.duration(since: trial.signedAt)
            let words = age < .zero ? "\(Self.words(.zero - age)) ahead of" : "\(Self.words(age)) behind"
            find(
                .clock,
                "The client signed at \(signedAt), \(words) the clock here (\(now)); 15 minutes are granted. Set the "
                    + "client's clock, or, if the request was captured earlier, ask for the time at which it was sent."
            )
            peeled.now = trial.signedAt
        case .expired:
            let end = trial.expiresAt ?? trial.signedAt
            find(
                .expired,
                "The URL was good for \(Self.words(end.duration(since: trial.signedAt))) from \(signedAt) on, until "
                    + "\(Timestamp.iso8601(end)); that was \(Self.words(asking.now.duration(since: end))) ago."
            )
            peeled.now = trial.signedAt
        case .wrongRegion(_, let expected):
            find(
                .wrongRegion,
                "The client signed for the region \(quoted(trial.scope.region)); this gateway's is \(quoted(expected)). "
                    + "Set it at the client (AWS_REGION, or region_name)."
            )
            peeled.region = "*"
        case .malformed(_, .scopeService):
            find(.wrongService, "The client signed for the service \(quoted(trial.scope.service)); it must be 's3'.")
            peeled.service = trial.scope.service
        case .headerNotSigned(let name):
            find(
                .headerNotSigned,
                "The header \(quoted(name)) is there and the signature does not cover it: it was added after signing, "
                    + "by the client or by something in between, and could change what is done."
            )
            peeled.head = peeled.head.without(field: name)
        case .signedHeaderMissing(let name):
            find(
                .headerMissing,
                "The signature covers the header \(quoted(name)), which did not arrive: the client did not send it, "
                    + "something in between took it away, or it was left out of what was captured."
            )
            return false
        case .signatureMismatch:
            return false
        default:
            find(.refused, refusal.publicMessage)
            return false
        }
        return true
    }

    // MARK: - Version 2

    private mutating func check2(_ presigned: PresignedQueryV2) {
        guard asking.snapshot.server.acceptsSigV2, case .s3(let bucket) = resource else {
            report = Explanation.Signature(form: .presignedV2, accessKeyID: presigned.accessKeyID)
            return find(.refused, SignatureRefusal.signatureVersion2.publicMessage)
        }
        let masked = MaskedRequest(asking.head)
        var report = Explanation.Signature(form: .presignedV2, accessKeyID: presigned.accessKeyID)
        report.expiresAt = presigned.expiresAt
        report.masked = masked.names
        if let query = try? Query(parsing: masked.head.query ?? []),
            let text = try? SigV2.stringToSign(presigned, head: masked.head, query: query, bucket: bucket)
        {
            report.stringToSign = String(decoding: text, as: UTF8.self)
        }
        self.report = report
        guard let key = usableKey(presigned.accessKeyID) else { return }
        if asking.now > presigned.expiresAt {
            find(
                .expired,
                "The URL was good until \(Timestamp.iso8601(presigned.expiresAt)); that was "
                    + "\(Self.words(asking.now.duration(since: presigned.expiresAt))) ago."
            )
        } else if presigned.expiresAt > asking.now + SigV2.maxLifetime + SigV4.maxClockSkew {
            find(.refused, SignatureRefusal.malformed(.queryV2, .expiresOutOfRange).publicMessage)
        }
        if isSigned2(presigned, asking.head, bucket, key.secret) {
            self.report?.verdict = .right
            return
        }
        self.report?.verdict = .wrong
        for (finding, head, bucket) in SuspicionV2.list(asking, located, bucket)
        where isSigned2(presigned, head, bucket, key.secret) {
            return findings.append(finding)
        }
        if let finding = wrongSecret(of: key, { isSigned2(presigned, asking.head, bucket, $0) }) {
            return findings.append(finding)
        }
        find(
            .mismatch,
            "The signature is not the one of this request with the secret of \(quoted(key.id)): most likely the client "
                + "has another secret. Otherwise Content-Type, Content-MD5, an x-amz- field, the path or the query was "
                + "changed after signing: compare the string to sign with the client's."
        )
    }

    private func isSigned2(
        _ presigned: PresignedQueryV2,
        _ head: RequestHead,
        _ bucket: String?,
        _ secret: Secret<String>
    ) -> Bool {
        guard let query = try? Query(parsing: head.query ?? []) else { return false }
        let verified = try? SigV2.verify(
            presigned,
            head: head,
            query: query,
            bucket: bucket,
            secret: secret,
            // Time was looked at before.
            now: presigned.expiresAt
        )
        return verified != nil
    }

    // MARK: - Keys and secrets

    /// The key, also where it may not be used any more; nil where there is none.
    private mutating func usableKey(_ id: String) -> AccessKey? {
        if SessionKeyring.issued(id) { return sessionKey(id) }
        let keys = asking.snapshot.accessKeys.all
        guard let key = keys.first(where: { $0.id.utf8.elementsEqual(id.utf8) }) else {
            let near = keys.first { $0.id.lowercased().utf8.elementsEqual(id.lowercased().utf8) }
            let hint = near.map { " There is one that differs in case only: \(quoted($0.id))." } ?? ""
            find(.unknownKey, "No access key \(quoted(id)) is configured here: the signature can't be checked.\(hint)")
            return nil
        }
        do {
            _ = try asking.snapshot.accessKeys.find(id, at: asking.now)
        } catch .expired {
            let end = key.expiresAt.map { " at " + Timestamp.iso8601($0) } ?? ""
            find(.keyNotUsable, "The access key \(quoted(id)) has expired\(end).")
        } catch .disabled {
            find(.keyNotUsable, "The access key \(quoted(id)) is disabled.")
        } catch {
            return nil
        }
        return key
    }

    /// The key of the session whose token the request has; nil where it has none that fits.
    private mutating func sessionKey(_ id: String) -> AccessKey? {
        guard let token = try? presented.securityToken(in: asking.head) else {
            find(.unknownKey, "\(quoted(id)) is a session's access key, and the request has no session token.")
            return nil
        }
        guard let (session, secret) = asking.snapshot.sessionKeys?.open(token, accessKeyID: id) else {
            find(
                .unknownKey,
                "The session token is not the one of \(quoted(id)), was changed on the way, or was sealed with a key that is "
                    + "not configured any more."
            )
            return nil
        }
        if asking.now >= session.expiresAt {
            find(.keyNotUsable, "The session has expired at \(Timestamp.iso8601(session.expiresAt)).")
        }
        return AccessKey(id: id, secret: secret, principalName: session.name, expiresAt: session.expiresAt)
    }

    private mutating func mismatch(_ key: AccessKey, _ peeled: Peeled) {
        report?.verdict = .wrong
        var trials: [SignatureTrial] = []
        for host in hosts.isEmpty ? [asking.head.host] : hosts {
            guard var trial = try? SignatureTrial(presented, head: asking.head, host: host) else { return }
            trial.fields = peeled.head.fields
            trials.append(trial)
        }
        if let finding = Suspicion.explanation(of: trials, self, isSigned: { $0.isSigned(with: key.secret) }) {
            return findings.append(finding)
        }
        if let finding = wrongSecret(of: key, { secret in trials.contains { $0.isSigned(with: secret) } }) {
            return findings.append(finding)
        }
        let covered = report?.signedHeaders.joined(separator: ", ") ?? ""
        find(
            .mismatch,
            "The signature is not the one of this request with the secret of \(quoted(key.id)), and none of the usual "
                + "changes on the way explains it: most likely the client has another secret. Otherwise method, path, "
                + "query or one of the signed headers (\(covered)) was changed after signing: compare the canonical "
                + "request with the one that the client computed."
        )
    }

    /// Whether the secret of another key, or this one with something at its ends, would have been right.
    private func wrongSecret(of key: AccessKey, _ isSigned: (Secret<String>) -> Bool) -> Explanation.Finding? {
        for other in asking.snapshot.accessKeys.all.prefix(1000) where other.id != key.id && isSigned(other.secret) {
            return .init(
                .wrongSecret,
                "The client signs as \(quoted(key.id)) with the secret of \(quoted(other.id)): id and secret are mixed up."
            )
        }
        let secret = key.secret.reveal()
        for ending in ["\n", "\r\n", " ", "\r"] where isSigned(Secret(secret + ending)) {
            return .init(
                .wrongSecret,
                "The client has the right secret of \(quoted(key.id)) with white space behind it, perhaps the end of a line."
            )
        }
        let encoded = String(decoding: PercentEncoding.encode(secret.utf8, keepSlash: .encode), as: UTF8.self)
        if encoded != secret, isSigned(Secret(encoded)) {
            return .init(.wrongSecret, "The client has the secret of \(quoted(key.id)) in a percent-encoded form.")
        }
        return nil
    }

    // MARK: - Body

    private mutating func compareBody(_ stated: PayloadHash) {
        guard let body, case .sha256(let digest) = stated else { return }
        let actual = Array(SHA256.hash(data: body))
        guard actual != digest else { return }
        let what =
            stated == .empty
            ? "the hash of nothing"
            : digest == Array(SHA256.hash(data: body + [0x0a])) || isCut(body, digest)
                ? "the hash of the same body with another end of its last line" : Hex.encode(digest)
        find(
            .bodyHash,
            "x-amz-content-sha256 says \(what), but the body that came (\(body.count) bytes) has the hash "
                + "\(Hex.encode(actual)): it was changed after signing, or hashed before it was complete."
        )
    }

    /// Whether the body has a line's end too many.
    private func isCut(_ body: [UInt8], _ digest: [UInt8]) -> Bool {
        body.last == 0x0a && Array(SHA256.hash(data: body.dropLast())) == digest
    }

    private mutating func find(_ code: Explanation.Finding.Code, _ message: String) {
        findings.append(.init(code, message))
    }

    /// Its two largest units.
    private static func words(_ duration: Duration) -> String {
        let seconds = max(0, duration.components.seconds)
        let units: [(Int64, String)] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")]
        var rest = seconds
        var words: [String] = []
        for (size, name) in units where rest >= size && words.count < 2 {
            words.append("\(rest / size) \(name)\(rest / size == 1 ? "" : "s")")
            rest %= size
        }
        return words.isEmpty ? "less than a second" : words.joined(separator: " and ")
    }
}
