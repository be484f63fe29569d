import HTTPTypes
import HummingbirdCore
package import Logging
package import NIOCore
import NIOPosix
package import S3API
import ServiceLifecycle
import Synchronization
package import WireFormats

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// The `file` backend: a small durable S3 server over a directory, on a private Unix socket. Gatehouse reaches it as
/// it reaches any S3 store, with Signature Version 4 and path-style addresses.
///
/// Opening it repairs what a crash left; ``run()`` serves until the task is cancelled or the service group shuts down
/// gracefully, then closes the index. It verifies signatures and payload hashes itself.
package final class EmbeddedStore: Service {
    package struct Configuration: Sendable {
        /// Where buckets are kept; made if it is not there. One store at a time has it open.
        package var directory: String
        /// Of the socket; its directory is made 0700. At most 100 bytes: the kernel allows 107.
        package var socketPath: String
        package var accessKeyID: String
        package var secretAccessKey: Secret<String>
        /// The region that requests are signed for; `*` accepts any.
        package var region: String
        /// Buckets that are to exist.
        package var buckets: [BucketName]
        /// Whether the store is there to stay; one that is not goes without a trace where it is closed, empty and new,
        /// before ``EmbeddedStore/keep()``.
        package var isKept = true
        /// The least size of every part but the last of a multipart upload.
        package var minimumPartSize: Int64 = 5 << 20

        package init(
            directory: String,
            socketPath: String,
            accessKeyID: String,
            secretAccessKey: Secret<String>,
            region: String = "us-east-1",
            buckets: [BucketName] = []
        ) {
            self.directory = directory
            self.socketPath = socketPath
            self.accessKeyID = accessKeyID
            self.secretAccessKey = secretAccessKey
            self.region = region
            self.buckets = buckets
        }
    }

    /// Why a store can't be opened.
    package enum OpeningFailure: Error, CustomStringConvertible {
        case socketPathTooLong(String)
        /// Another process, or another store of this one, has the directory open.
        case directoryInUse(String)
        case file(path: String, FileFailure)

        package var description: String {
            switch self {
            case .socketPathTooLong(let path): "the socket path is longer than 100 bytes: \(path)"
            case .directoryInUse(let path): "the directory is in use by another process: \(path)"
            case .file(let path, let failure): "the folder \(path) can't be a store: \(failure)"
            }
        }
    }

    private let configuration: Configuration
    private let store: ObjectStore
    private let responder: StoreResponder
    private let threads: NIOThreadPool
    private let eventLoopGroup: any EventLoopGroup
    private let logger: Logger
    private let isKept: Atomic<Bool>
    private let running:
        (
            stream: AsyncThrowingStream<Never, any Error>,
            continuation: AsyncThrowingStream<Never, any Error>.Continuation
        )

    /// Opens the directory and the index. Blocks for as long as repairs take.
    package init(
        _ configuration: Configuration,
        now: @escaping @Sendable () -> Instant,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton,
        logger: Logger
    ) throws {
        guard configuration.socketPath.utf8.count <= 100 else {
            throw OpeningFailure.socketPathTooLong(configuration.socketPath)
        }
        self.configuration = configuration
        self.eventLoopGroup = eventLoopGroup
        self.logger = logger
        isKept = Atomic(configuration.isKept)
        running = AsyncThrowingStream.makeStream()
        threads = NIOThreadPool(numberOfThreads: 4)
        do {
            store = try ObjectStore(
                directory: configuration.directory,
                threads: threads,
                now: now,
                logger: logger,
                minimumPartSize: configuration.minimumPartSize
            )
            try Self.makePrivateDirectory(of: configuration.socketPath)
        } catch let failure as FileFailure {
            throw failure.isHeld
                ? OpeningFailure.directoryInUse(configuration.directory)
                : OpeningFailure.file(path: configuration.directory, failure)
        }
        responder = StoreResponder(
            store: store,
            authenticator: Authenticator(
                accessKeyID: configuration.accessKeyID,
                secret: configuration.secretAccessKey,
                region: configuration.region
            ),
            region: configuration.region == "*" ? "us-east-1" : configuration.region,
            logger: logger
        )
    }

    /// Makes the buckets that are to exist, serves, and closes the index at the end.
    package func run() async throws {
        do {
            try await runUntilClosed()
            running.continuation.finish()
        } catch {
            running.continuation.finish(throwing: error)
            throw error
        }
    }

    private func runUntilClosed() async throws {
        threads.start()
        do {
            try await make(configuration.buckets)
            try await serve()
        } catch {
            try await close()
            throw error
        }
        try await close()
    }

    /// Makes those buckets that do not exist. The store is running.
    package func make(_ buckets: [BucketName]) async throws {
        for bucket in buckets {
            do {
                try await store.createBucket(bucket)
            } catch let error as S3Error where error.code == .bucketAlreadyOwnedByYou {
                continue
            }
        }
    }

    /// Returns once the socket accepts connections, or ``run()`` has ended in order.
    ///
    /// - Throws: what ended ``run()`` before it served.
    package func untilServing() async throws {
        for try await _ in running.stream {}
    }

    private func serve() async throws {
        let responder = responder
        let channel = HTTP1Channel(
            responder: { request, writer, _ in try await HTTPExchange(responder).respond(to: request, writer) },
            configuration: HTTP1Channel.Configuration(idleTimeout: nil)
        )
        let running = running.continuation
        let server = Server(
            childChannelSetup: channel,
            configuration: ServerConfiguration(
                address: .unixDomainSocket(path: configuration.socketPath),
                backlog: 1024,
                reuseAddress: false
            ),
            onServerRunning: { _ in running.finish() },
            eventLoopGroup: eventLoopGroup,
            logger: logger
        )
        try await server.run()
    }

    /// From now on it is there to stay.
    package func keep() { isKept.store(true, ordering: .releasing) }

    private func close() async throws {
        try await threads.shutdownGracefully()
        try store.close(isKept: isKept.load(ordering: .acquiring))
    }

    /// The socket's directory is the access control: whoever can enter it can only try to sign.
    private static func makePrivateDirectory(of socketPath: String) throws(FileFailure) {
        guard let slash = socketPath.lastIndex(of: "/"), slash != socketPath.startIndex else { return }
        let directory = String(socketPath[..<slash])
        try SystemDirectory.make(directory)
        try check("chmod", chmod(directory, 0o700))
    }
}
