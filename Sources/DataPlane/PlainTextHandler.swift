import NIOCore

/// Tells whoever speaks plain HTTP to a TLS port so, in plain HTTP; to TLS they would be an error without a word. Ahead of
/// TLS, and gone with the first byte of what may be TLS.
final class PlainTextHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// For so long what the client still sends is dropped, that the answer is not lost to a reset.
    private static let linger = TimeAmount.seconds(2)
    private static let answer: StaticString = """
        HTTP/1.1 400 Bad Request\r
        content-type: text/plain; charset=utf-8\r
        content-length: 41\r
        connection: close\r
        \r
        This port speaks https, not plain http.\r

        """

    private var isAnswered = false

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !isAnswered else { return }
        let bytes = unwrapInboundIn(data)
        guard let first = bytes.readableBytesView.first else { return }
        // A method's first letter. TLS begins with 22, what is older with a high bit.
        guard (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else {
            context.fireChannelRead(data)
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            return
        }
        isAnswered = true
        var answer = context.channel.allocator.buffer(capacity: Self.answer.utf8CodeUnitCount)
        answer.writeStaticString(Self.answer)
        context.writeAndFlush(wrapOutboundOut(answer), promise: nil)
        context.close(mode: .output, promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: Self.linger) { context.close(promise: nil) }
    }
}
