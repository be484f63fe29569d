import Backends
import HTTP1
import NIOCore
import S3API
import Signatures
import WireFormats

extension Planner {
    /// The client's body is the object, or a part of one: it flows.
    func stream(to bucket: Bucket) throws(Refusal) -> Plan {
        let promises = try self.promises()
        guard let length = promises.length else { throw .request(S3Error(.missingContentLength)) }
        guard length <= asking.snapshot.server.maxObjectSize else { throw .request(S3Error(.entityTooLarge)) }
        guard let chunked = promises.chunked else {
            let checks = promises.checks(hashing: bucket.storeVerifiesPayload ? .atTheStore : .here)
            let verifier =
                checks.isEmpty ? nil : BodyVerifier(.plain, of: product, length: length, checks: checks)
            return .forward(
                try forward(
                    to: bucket,
                    outgoing: .stream(length: length, hash: admitted.payload),
                    body: length == 0 && verifier == nil ? .bytes([]) : .stream(verifier)
                )
            )
        }
        return try stream(chunked, length, promises, to: bucket)
    }

    private var product: BodyVerifier.Product { request.operation == .uploadPart ? .part : .object }

    // MARK: - Bodies in chunks

    /// A body that comes in chunks goes on without them: with its trailer's checksum in a field where it is short, framed
    /// anew where the store knows trailers, and else as it is, its checksum having been verified here.
    private func stream(
        _ chunked: BodyPromises.Chunked,
        _ length: Int64,
        _ promises: BodyPromises,
        to bucket: Bucket
    ) throws(Refusal) -> Plan {
        guard !chunked.form.isSigned || admitted.chunkSignatures != nil else {
            throw .request(S3Error(.invalidRequest, "Chunks can only be signed where the request is."))
        }
        let body = AWSChunkedBody(
            AWSChunkedDecoder(chunked.form, decodedLength: length, trailer: chunked.trailer),
            signatures: chunked.form.isSigned ? admitted.chunkSignatures : nil
        )
        let checks = promises.checks(hashing: .here)
        let whole = BodyVerifier(.awsChunked(body), of: product, length: length, checks: checks)
        if let algorithm = chunked.trailer, bucket.backend.checksums.areUnderstood {
            if length <= BodyVerifier.reserve, case .length(let sent) = asking.head.framing,
                sent <= Self.shortChunkedBody
            {
                return .collect(limit: Int(Self.shortChunkedBody)) { bytes in
                    replying { () throws(Refusal) in try short(bytes, algorithm, whole, to: bucket) }
                }
            }
            switch bucket.backend.checksums {
            case .unknown: break
            case .headers:
                return .forward(
                    try forward(to: bucket, outgoing: .computed(length: length, algorithm), body: .stream(whole))
                )
            case .headersAndTrailers:
                let encoder = AWSChunkedEncoder(decodedLength: length, trailer: algorithm)
                let framed = BodyVerifier(
                    .awsChunked(body),
                    of: product,
                    length: length,
                    checks: checks,
                    encoder: encoder
                )
                return .forward(
                    try forward(
                        to: bucket,
                        outgoing: .trailing(encoder, length: length, algorithm),
                        body: .stream(framed)
                    )
                )
            }
        }
        return .forward(
            try forward(to: bucket, outgoing: .stream(length: length, hash: .unsigned), body: .stream(whole))
        )
    }

    /// As it is sent, chunks and all: what is read whole before the store hears of it.
    private static let shortChunkedBody: Int64 = 64 * 1024

    /// A short body with a trailer, all of it here: its checksum goes to the store in a field.
    private func short(
        _ bytes: [UInt8],
        _ algorithm: ChecksumAlgorithm,
        _ verifier: BodyVerifier,
        to bucket: Bucket
    ) throws(Refusal) -> Plan {
        var verifier = verifier
        var object: [UInt8] = []
        do {
            for part in try verifier.take(ByteBuffer(bytes: bytes)) + verifier.finish() {
                object.append(contentsOf: part.readableBytesView)
            }
        } catch {
            throw .request(error)
        }
        let digest = verifier.checksum?.digest ?? []
        return .forward(
            try forward(
                to: bucket,
                outgoing: .checked(length: object.count, algorithm, digest: digest),
                body: .bytes(object)
            ).seen(through: AcknowledgedAnswer(body: verifier))
        )
    }
}

/// The answer to a body that was verified before the store heard of it: a success tells its checksum.
private struct AcknowledgedAnswer: AnswerView {
    let body: BodyVerifier

    func carried(_ status: Int, _ fields: FieldBlock, of head: ResponseHead) -> Answer {
        guard (200...299).contains(status) else { return .stream(status: status, fields: fields) }
        var fields = fields
        body.acknowledge(in: &fields)
        return .stream(status: status, fields: fields)
    }
}
