import Backends
import ControlPlane
import Crypto
import HTTP1
import Pipeline
import S3API
import Settings
import Signatures
import WireFormats

/// Asks one bucket's store what it does, with an object that is written, read and deleted again.
struct StoreExamination: Sendable {
    enum Depth: Sendable {
        case readingOnly
        case withProbeObject
    }

    /// Below it no client's keys are expected.
    private static let folder = ".gatehouse/doctor/"
    private static let slowClock = Duration.seconds(2)
    /// What S3 tolerates.
    private static let wrongClock = Duration.seconds(900)

    private let bucket: Bucket
    private let client: StoreClient
    private let key: ObjectKey
    private let content: [UInt8]

    init(_ bucket: Bucket, _ client: StoreClient) {
        self.bucket = bucket
        self.client = client
        key = ObjectKey(Self.folder + Hex.encode(NewKey.random(8)))
        content = Array("gatehouse doctor \(Hex.encode(NewKey.random(8)))\n".utf8)
    }

    func findings(_ depth: Depth) async -> [Finding] {
        let started = Clock.now()
        let findings: [Finding]
        let access: Finding
        do {
            let listing = try exchange(.get, .listObjectsV2, about: .bucket(bucket.name), query: Self.oneKey)
            let answer = try await client.send(OwnRequest(head: listing.request, body: []), to: bucket.upstream)
            let took = Clock.now().duration(since: started)
            findings = [
                Finding("reachable", .ok, "answered \(answer.status) within \(Self.milliseconds(took)) ms"),
                clock(answer, started, took),
            ]
            access = Self.access(try await client.ask(listing, of: bucket.upstream))
        } catch {
            return [Finding("reachable", .failed, "\(error)")]
        }
        guard access.verdict != .failed, depth == .withProbeObject else { return findings + [access] }
        return findings + [access] + (await probe())
    }

    private static let oneKey: Query = {
        var query = Query()
        query.append("list-type".utf8, "2".utf8)
        query.append("max-keys".utf8, "1".utf8)
        return query
    }()

    private static func milliseconds(_ duration: Duration) -> Int64 { duration.saturatingNanoseconds / 1_000_000 }

    private func clock(_ answer: StoreClient.Answer, _ started: Instant, _ took: Duration) -> Finding {
        guard let date = answer.field("date").flatMap({ Timestamp.parseHTTP($0.utf8) }) else {
            return Finding("clock", .note, "the store does not say what time it is")
        }
        // A date has whole seconds.
        let off = date.duration(since: started + took / 2)
        let distance = off < .zero ? .zero - off : off
        let text =
            "the store's clock is \(distance.components.seconds) s \(off < .zero ? "behind" : "ahead of") this one"
        if distance >= Self.wrongClock { return Finding("clock", .failed, text + ": signatures are refused") }
        return distance > Self.slowClock ? Finding("clock", .note, text) : Finding("clock", .ok, "agrees")
    }

    private static func access(_ told: StoreClient.Told) -> Finding {
        guard let failure = told.failure else { return Finding("bucket", .ok, "can be listed") }
        switch failure.cause {
        case .credential: return Finding("bucket", .failed, "the store refuses the credential: \(said(told))")
        case .redirect: return Finding("bucket", .failed, "is elsewhere: region or endpoint is wrong; \(said(told))")
        case .store: return Finding("bucket", .failed, said(told))
        case .request:
            return told.status == 403
                ? Finding("bucket", .note, "may not be listed with this credential")
                : Finding("bucket", .failed, said(told))
        }
    }

    // MARK: - The probe object

    private func probe() async -> [Finding] {
        var findings: [Finding] = []
        let written = await question("write") {
            let answer = try await put(content, hash: Self.hash(content))
            return answer.status == 200
                ? Finding("write", .ok, "an object of \(content.count) bytes")
                : Finding("write", .failed, Self.said(answer))
        }
        findings.append(written)
        guard written.verdict == .ok else { return findings }
        findings.append(
            await question("read") {
                let answer = try await ask(.get, .getObject, about: .object(bucket.name, key))
                guard answer.status == 200 else { return Finding("read", .failed, Self.said(answer)) }
                return answer.body == content
                    ? Finding("read", .ok, "what was written")
                    : Finding("read", .failed, "something else than what was written")
            }
        )
        findings.append(await spellings())
        findings.append(await conditionalWrites())
        findings.append(await payloadHash())
        findings.append(await checksums())
        findings += await unsignedFields()
        findings.append(await removal())
        return findings
    }

    /// Whether the store has the probe object under other keys as well.
    private func spellings() async -> Finding {
        let check = "keys"
        var spellings = [("a slash in front", "/\(key)"), ("two slashes", "\(key)".replacing("/", with: "//"))]
        // Azure is known to take it for a slash: no such key reaches it.
        if bucket.kind != .azure { spellings.append(("a backslash", "\(key)".replacing("/", with: "\\"))) }
        return await question(check) {
            var aliases: [String] = []
            for (words, other) in spellings {
                let answer = try await ask(.head, .headObject, about: .object(bucket.name, ObjectKey(other)))
                if answer.status == 200 { aliases.append(words) }
            }
            guard !aliases.isEmpty else { return Finding(check, .ok, "each is an object of its own") }
            let found = "one object has several (\(aliases.joined(separator: ", ")))"
            return bucket.backend.keepsKeys
                ? Finding(check, .failed, found + ", which this kind of store was known not to do")
                : Finding(check, .note, found + ": whoever asks for one needs the rights to the other, too")
        }
    }

    private func conditionalWrites() async -> Finding {
        let check = "conditional writes"
        return await question(check) {
            var fields = FieldBlock()
            fields.append("if-none-match", "*")
            let answer = try await put(content, hash: Self.hash(content), fields)
            switch answer.status {
            case 412: return Finding(check, .ok, "If-None-Match: * is honoured")
            case 200: return Finding(check, .note, "If-None-Match: * is ignored: upload slots land in quarantine there")
            default: return Finding(check, .note, "If-None-Match: * is refused: \(Self.said(answer))")
            }
        }
    }

    private func payloadHash() async -> Finding {
        let check = "payload hash"
        return await question(check) {
            let answer = try await put(content, hash: Self.hash(content + [0]))
            guard answer.status == 200 else { return Finding(check, .ok, "the store verifies it") }
            return bucket.storeVerifiesPayload
                ? Finding(check, .failed, "the store does not verify it: verify_payload must be \"always\"")
                : Finding(check, .note, "the store does not verify it; Gatehouse does (verify_payload = \"always\")")
        }
    }

    private func checksums() async -> Finding {
        let check = "checksums"
        guard bucket.kind == .s3 else {
            return Finding(check, .note, "this kind of store knows none of S3's; Gatehouse verifies what clients give")
        }
        return await question(check) {
            let wrong = [UInt8](repeating: 1, count: 4)
            let body = OutgoingBody.checked(length: content.count, .crc32, digest: wrong)
            let answer = try await put(body, FieldBlock())
            return answer.status == 200
                ? Finding(check, .note, "the store does not verify x-amz-checksum-crc32; Gatehouse does")
                : Finding(check, .ok, "the store verifies x-amz-checksum-crc32")
        }
    }

    /// A URL is signed for what it puts. A store that also heeds fields that nobody signed copies for whoever has such a URL
    /// what its own credential reads.
    private func unsignedFields() async -> [Finding] {
        guard bucket.kind == .s3, bucket.backend.signsURLs else { return [] }
        let check = "unsigned fields"
        guard bucket.backend.publicEndpoint == nil else {
            return [Finding(check, .note, "lead to another address, which is not asked")]
        }
        return [
            await question(check) {
                let copy = ObjectKey(key.bytes + Array("-copy".utf8))
                let status = try await copyByURL(to: copy)
                let made = try await ask(.head, .headObject, about: .object(bucket.name, copy))
                guard made.status == 200 else {
                    return Finding(check, .ok, "a field that was not signed is refused (\(status))")
                }
                _ = try await ask(.delete, .deleteObject, about: .object(bucket.name, copy))
                let isCopied = made.length == Int64(content.count)
                return Finding(
                    check,
                    isCopied ? .failed : .note,
                    isCopied
                        ? "the store copies by x-amz-copy-source that was not signed: whoever has a URL that puts can read "
                            + "everything there; hand out none that lead to this store"
                        : "fields that were not signed are passed over"
                )
            }
        ]
    }

    /// Puts nothing with a URL that was signed for that, beside a field that makes a copy of it.
    /// - Returns: what was answered.
    private func copyByURL(to copy: ObjectKey) async throws -> Int {
        let signed = try bucket.backend.presign(
            .put,
            copy,
            query: Query(),
            fields: FieldBlock(),
            binding: .required,
            for: .seconds(60),
            at: Clock.now()
        )
        guard let target = signed?.url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false).last else {
            throw S3Error(.internalError)
        }
        var request = OutgoingRequest(
            method: .put,
            path: [UInt8(ascii: "/")] + target.prefix { $0 != "?" }.utf8,
            query: Array(target.drop { $0 != "?" }.dropFirst().utf8)
        )
        request.fields.append("host", bucket.backend.hostOfRequests)
        request.fields.append("content-length", "0")
        let source = bucket.backend.prefix + key.bytes
        request.fields.append(
            "x-amz-copy-source".utf8,
            Array("/\(bucket.backend.bucketName)/".utf8) + PercentEncoding.encode(source, keepSlash: .keep)
        )
        return try await client.send(OwnRequest(head: request, body: []), to: bucket.upstream).status
    }

    private func removal() async -> Finding {
        await question("delete") {
            let answer = try await ask(.delete, .deleteObject, about: .object(bucket.name, key))
            guard [200, 202, 204].contains(answer.status) else {
                return Finding("delete", .failed, "\(Self.said(answer)); the object \(key) is left behind")
            }
            let after = try await ask(.head, .headObject, about: .object(bucket.name, key))
            return after.status == 404
                ? Finding("delete", .ok, "and it is gone")
                : Finding("delete", .failed, "the object \(key) is still there: \(Self.said(after))")
        }
    }

    private func question(_ check: String, _ ask: () async throws -> Finding) async -> Finding {
        do {
            return try await ask()
        } catch {
            return Finding(check, .failed, "\(error)")
        }
    }

    // MARK: - Asking

    private static func hash(_ bytes: [UInt8]) -> PayloadHash { .sha256(Array(SHA256.hash(data: bytes))) }

    private func put(
        _ bytes: [UInt8],
        hash: PayloadHash,
        _ fields: FieldBlock = FieldBlock()
    ) async throws -> StoreClient.Told {
        try await put(.stream(length: Int64(bytes.count), hash: hash), fields)
    }

    private func put(_ body: OutgoingBody, _ fields: FieldBlock) async throws -> StoreClient.Told {
        try await ask(.put, .putObject, about: .object(bucket.name, key), fields: fields, body)
    }

    private func ask(
        _ method: HTTPMethod,
        _ operation: S3Operation,
        about address: S3Address,
        fields: FieldBlock = FieldBlock(),
        _ body: OutgoingBody = .none
    ) async throws -> StoreClient.Told {
        let exchange = try exchange(method, operation, about: address, fields: fields, body)
        return try await client.ask(exchange, of: bucket.upstream, carrying: content)
    }

    private func exchange(
        _ method: HTTPMethod,
        _ operation: S3Operation,
        about address: S3Address,
        query: Query = Query(),
        fields: FieldBlock = FieldBlock(),
        _ body: OutgoingBody = .none
    ) throws -> Exchange {
        try bucket.backend.exchange(
            for: S3Request(operation: operation, address: address, query: query, actions: operation.actions),
            head: RequestHead(method: method, path: [UInt8(ascii: "/")], fields: fields, host: []),
            body: body,
            copyingFrom: nil,
            view: ClientView(region: "", publicURL: ""),
            at: Clock.now()
        )
    }

    private static func said(_ told: StoreClient.Told) -> String {
        "the store answered \(told.storeStatus) \(told.failure?.storeCode ?? told.failure?.code ?? "")"
    }
}
