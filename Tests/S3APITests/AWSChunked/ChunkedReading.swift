import NIOCore
import S3API
import WireFormats

/// What a decoder makes of a body that comes in pieces.
struct ChunkedReading: Equatable {
    var payload: [UInt8] = []
    /// Sizes and signatures as announced.
    var chunks: [Chunk] = []
    var chunksEnded = 0
    var trailer: AWSChunkedTrailer?
    /// nil: the body was whole.
    var refusal: S3Error?
    /// An event that must not have come when it did.
    var disorder: String?

    struct Chunk: Equatable {
        let size: Int64
        let signature: [UInt8]?
    }

    init(_ body: [UInt8], cutAt cuts: [Int] = [], _ decoder: AWSChunkedDecoder) {
        var decoder = decoder
        let ends = cuts.sorted() + [body.count]
        var start = 0
        for end in ends {
            var buffer = ByteBuffer(bytes: body[start..<end])
            start = end
            guard take(&buffer, &decoder) else { return }
        }
        refusal = decoder.closed()
        if decoder.isFinished != (refusal == nil) { disorder = "finished and refused" }
    }

    /// Whether to go on.
    private mutating func take(_ buffer: inout ByteBuffer, _ decoder: inout AWSChunkedDecoder) -> Bool {
        while true {
            switch decoder.next(&buffer) {
            case .needMore, .end:
                if buffer.readableBytes > 0 { disorder = "bytes were left" }
                return true
            case .chunkBegan(let size, let signature):
                if chunks.count != chunksEnded { disorder = "a chunk within a chunk" }
                chunks.append(Chunk(size: size, signature: signature))
            case .bytes(let slice):
                if slice.readableBytes == 0 || chunks.count != chunksEnded + 1 { disorder = "bytes between chunks" }
                payload += slice.readableBytesView
            case .chunkEnded:
                chunksEnded += 1
            case .trailer(let found):
                if trailer != nil || chunks.last?.size != 0 { disorder = "a trailer too early or too many" }
                trailer = found
            case .refused(let error):
                refusal = error
                var rest = ByteBuffer(string: "0\r\n\r\n")
                if case .refused(error) = decoder.next(&rest), decoder.closed() == error {
                } else {
                    disorder = "a refusal that does not last"
                }
                return false
            }
        }
    }
}

/// What must hold for any bytes at all. Run by the fuzzer (`Scripts/fuzz`) and, over `Fuzz/aws-chunked`, by a unit test.
///
/// The first byte of an input chooses the form and the announced trailer, the second is the decoded length.
func brokenChunkedInvariant(of input: [UInt8]) -> String? {
    guard input.count >= 2 else { return nil }
    let forms = AWSChunkedForm.allCases
    let form = forms[Int(input[0]) % forms.count]
    let algorithms: [ChecksumAlgorithm?] = [nil] + ChecksumAlgorithm.allCases
    let announced = form.hasTrailer ? algorithms[Int(input[0]) / forms.count % algorithms.count] : nil
    let length = Int64(input[1])
    let decoder = AWSChunkedDecoder(form, decodedLength: length, trailer: announced)
    let body = Array(input.dropFirst(2))
    let whole = ChunkedReading(body, decoder)
    let cut = input.reduce(0) { $0 &* 31 &+ Int($1) } & 0xFFFF % (body.count + 1)
    for cuts in [Array(0..<body.count), [cut]] {
        if ChunkedReading(body, cutAt: cuts, decoder) != whole { return "something else when cut at \(cuts)" }
    }
    if let disorder = whole.disorder { return disorder }
    if Int64(whole.payload.count) > length { return "more bytes than were announced" }
    guard whole.refusal == nil else { return nil }
    if Int64(whole.payload.count) != length { return "fewer bytes than were announced" }
    if whole.chunks.contains(where: { ($0.signature != nil) != form.isSigned }) {
        return "a chunk without its signature"
    }
    if (whole.trailer != nil) != form.hasTrailer { return "a trailer that is not of the form" }
    if whole.trailer?.digest?.count != announced?.digestLength { return "not the announced checksum" }
    return nil
}
