import HTTP1
import Pipeline
import S3API
import Valet
import WireFormats

extension Uploads {
    var parts: APIOperation {
        APIOperation(
            "getUploadParts",
            .get,
            "uploads/{id}/parts",
            summary: "URLs for parts of an upload, freshly signed.",
            parameters: [
                Self.id,
                APIParameter(
                    "numbers",
                    in: .query,
                    JSONText(1...256),
                    .required,
                    "Such as `1-10` or `3,7`; at most 100."
                ),
            ],
            outcomes: [
                APIOutcome(
                    200,
                    "The URLs.",
                    .object([
                        JSONMember(
                            "parts",
                            .array(
                                of: .object([
                                    JSONMember("number", .integer(1...10_000)),
                                    JSONMember("method", .text(oneOf: ["PUT"])),
                                    JSONMember("url", .text(1...16_384)),
                                    JSONMember("headers", .map(of: .text(0...4096), limit: 64)),
                                    JSONMember("expires_at", .instant),
                                ]),
                                count: 0...100
                            )
                        )
                    ])
                )
            ],
            failures: [
                .uploadEnded, .proxyOnly, .keyTooLong, APIFailure.Code(.noSuchBucket), APIFailure.Code(.expiredToken),
            ] + APIFailure.Code.ofStores
        ) { request async throws(APIFailure) in
            let numbers = try PartNumbers(request.parameters["numbers"] ?? "").numbers
            var slot = try await own(request)
            guard slot.mode == .multipart else { throw APIFailure(.invalidRequest, "This upload has no parts.") }
            guard slot.state.isOpen, request.now < slot.expiresAt else { throw APIFailure(.uploadEnded) }
            if slot.multipart == nil {
                let size = UploadSlot.partSize(of: slot.size)
                guard let begun = try await slots.begun(slot.id, partSize: size, under: request.caller.snapshot) else {
                    throw APIFailure(.notFound)
                }
                slot = begun
            }
            guard slot.state.isOpen, let upload = slot.multipart else { throw APIFailure(.uploadEnded) }
            let remaining = slot.remaining(at: request.now)
            let wishes = numbers.compactMap { [slot] in slot.wish(forPart: $0, of: upload, for: remaining) }
            let caller = await request.caller.hearing(about: wishes, at: request.now)
            var parts: [StrictJSON] = []
            var entries: [IssueLog.Entry] = []
            for number in numbers {
                let url = try url(ofPart: number, of: slot, upload, request, as: caller)
                entries.append(slot.entry(of: url.id, until: url.expiresAt, onGrants: url.onGrants))
                parts.append(
                    .object([
                        ("number", .integer(Int64(number))), ("method", .string("PUT")), ("url", .string(url.url)),
                        ("headers", .headers(url.fields)), ("expires_at", .instant(url.expiresAt)),
                    ])
                )
            }
            try await log.record(entries, of: request)
            return APIAnswer(200, .object([("parts", .array(parts))]))
        }
    }

    private func url(
        ofPart number: Int,
        of slot: UploadSlot,
        _ upload: UploadSlot.Multipart,
        _ request: APIRequest,
        as caller: Rights
    ) throws(APIFailure) -> SignedURL {
        guard let wish = slot.wish(forPart: number, of: upload, for: slot.remaining(at: request.now)) else {
            throw APIFailure(.invalidArgument, "This upload has no part \(number).")
        }
        do {
            return try caller.url(for: wish, random: slots.random(Rights.randomBytesOfURL), at: request.now)
        } catch {
            throw APIFailure(error)
        }
    }
}

/// `1-10`, `3`, `1-3,7`: at most 100.
struct PartNumbers {
    let numbers: [Int]

    init(_ text: String) throws(APIFailure) {
        var numbers: [Int] = []
        for range in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = range.split(separator: "-", omittingEmptySubsequences: false).map { end in
                end.utf8.allSatisfy { $0 &- 0x30 < 10 } ? Int(end) : nil
            }
            guard let first = ends.first ?? nil, let last = ends.last ?? nil, ends.count <= 2, 1 <= first,
                first <= last,
                last <= 10_000, last - first < 100, numbers.count + last - first < 100
            else {
                throw APIFailure(.invalidArgument, "'numbers' takes numbers of parts such as 1-10: at most 100.")
            }
            numbers += first...last
        }
        self.numbers = numbers
    }
}
