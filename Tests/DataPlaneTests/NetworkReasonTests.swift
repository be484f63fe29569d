import NIOCore
import NIOPosix
import NIOSSL
import NetworkReasons
import Testing

@Suite("What went wrong on the network is said in words, not in the libraries' terms")
struct NetworkReasonTests {
    @Test("A store that refuses connections, by its address and by its name", arguments: ["127.0.0.1", "localhost"])
    func refused(host: String) async throws {
        // Taken, and given back: nobody listens there.
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        let port = try #require(listener.localAddress?.port)
        try await listener.close()
        await #expect(throws: (any Error).self) {
            do {
                _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: host, port: port).get()
            } catch {
                #expect("\(NetworkReason(error))" == "Connection refused", "\(error)")
                throw error
            }
        }
    }

    @Test("A name that nobody has")
    func unknownHost() async throws {
        await #expect(throws: (any Error).self) {
            do {
                _ = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .connect(host: "nobody.invalid", port: 80).get()
            } catch {
                #expect("\(NetworkReason(error))".hasPrefix("the host nobody.invalid is not found: "), "\(error)")
                throw error
            }
        }
    }

    @Test(
        "What libraries say of connections and of TLS",
        arguments: [
            (ChannelError.connectTimeout(.seconds(1)), "no connection in time"),
            (ChannelError.eof, "the connection was closed"),
            (NIOSSLError.unableToValidateCertificate, "its certificate can't be verified"),
            (
                NIOSSLError.handshakeFailed(.sslError([.eofDuringHandshake])),
                "the TLS handshake failed: eof during handshake"
            ),
            (NIOSSLError.handshakeFailed(.zeroReturn), "the TLS handshake failed"),
        ] as [(any Error, String)]
    )
    func words(error: any Error, words: String) {
        #expect("\(NetworkReason(error))" == words)
    }
}
