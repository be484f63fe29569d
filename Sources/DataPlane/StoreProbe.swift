import Backends
import HTTP1
package import NIOCore
import NIOPosix
package import Pipeline

/// Asks a store once, without a credential, what it calls itself. Not part of any client's request: connections are its
/// own and short.
package struct StoreProbe: Sendable {
    private let group: any EventLoopGroup

    package init(group: any EventLoopGroup) {
        self.group = group
    }

    /// The field `server` of the store's answer to a listing of its buckets, which it may well refuse.
    ///
    /// - Throws: where no answer came in time.
    package func server(of upstream: Upstream) async throws -> String? {
        let answer = group.next().makePromise(of: String?.self)
        let bootstrap = ClientBootstrap(group: answer.futureResult.eventLoop)
            .connectTimeout(TimeAmount(upstream.connectTimeout))
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    if case .tcp(let host, _) = upstream.endpoint.address, upstream.endpoint.transport == .tls {
                        let context = try UpstreamTLS.context(caCertificate: upstream.caCertificate)
                        try channel.pipeline.syncOperations.addHandler(
                            UpstreamTLS.handler(context: context, host: host)
                        )
                    }
                    try channel.pipeline.syncOperations.addHandler(
                        ProbeHandler(authority: upstream.endpoint.authority, answer: answer)
                    )
                }
            }
        let channel: any Channel
        do {
            channel =
                switch upstream.endpoint.address {
                case .tcp(let host, let port): try await bootstrap.connect(host: host, port: port).get()
                case .unix(let path): try await bootstrap.connect(unixDomainSocketPath: path).get()
                }
        } catch {
            answer.fail(error)
            throw error
        }
        let timeout = channel.eventLoop.scheduleTask(in: TimeAmount(upstream.connectTimeout)) {
            channel.close(promise: nil)
        }
        defer {
            timeout.cancel()
            channel.close(promise: nil)
        }
        return try await answer.futureResult.get()
    }
}

/// Sends the one request and waits for the head of its answer.
private final class ProbeHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let authority: String
    private var answer: EventLoopPromise<String?>?
    private var parser = ResponseParser(requestMethod: .get)
    private var inbox = ByteBuffer()

    init(authority: String, answer: EventLoopPromise<String?>) {
        self.authority = authority
        self.answer = answer
    }

    func channelActive(context: ChannelHandlerContext) {
        let request = "GET / HTTP/1.1\r\nhost: \(authority)\r\nuser-agent: gatehouse\r\nconnection: close\r\n\r\n"
        context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: request)), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard answer != nil else { return }
        var bytes = unwrapInboundIn(data)
        inbox.writeBuffer(&bytes)
        switch parser.parse(&inbox) {
        case .needMore: return
        case .head(let head): finish(.success(head.fields.string("server")))
        case .refused: finish(.failure(ChannelError.inputClosed))
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        finish(.failure(ChannelError.eof))
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        finish(.failure(error))
        context.close(promise: nil)
    }

    private func finish(_ result: Result<String?, any Error>) {
        answer?.completeWith(result)
        answer = nil
    }
}
