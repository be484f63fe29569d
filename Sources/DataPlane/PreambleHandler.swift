import Logging
import NIOCore
import WireFormats

/// Takes the PROXY preamble off a connection, before TLS and HTTP see it, and leaves the pipeline.
///
/// Only peers in `trusted_proxies` may speak for others; anyone else is disconnected.
final class PreambleHandler: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private static let timeout = TimeAmount.seconds(5)

    private let logger: Logger
    /// Told the client's address before any of the client's bytes.
    private let named: (IPAddress) -> Void
    private var inbox = ByteBuffer()
    private var timer: Scheduled<Void>?

    init(logger: Logger, named: @escaping (IPAddress) -> Void) {
        self.logger = logger
        self.named = named
    }

    func handlerAdded(context: ChannelHandlerContext) {
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: Self.timeout) {
            context.close(promise: nil)
        }
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        timer?.cancel()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        inbox.writeBuffer(&bytes)
        switch ProxyProtocol.parse(&inbox) {
        case .needMore:
            return
        case .refused(let reason):
            logger.info("connection refused", metadata: ["reason": "\(reason)"])
            context.close(promise: nil)
        case .client(let address):
            if let address { named(address) }
            if inbox.readableBytes > 0 { context.fireChannelRead(wrapInboundOut(inbox)) }
            inbox.clear()
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
        }
    }
}
