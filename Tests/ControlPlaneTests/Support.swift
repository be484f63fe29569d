import Admission
import ControlPlane
import Foundation
import Identity
import Journal
import Logging
import NIOCore
import NIOPosix
import Pipeline
import Samples
import Synchronization
import WireFormats

/// A directory that goes away with the test. Short, because a Unix socket's path has to fit 103 bytes.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = "/tmp/gh-" + UUID().uuidString.prefix(13)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }

    func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: file(name))[.posixPermissions] as? Int
    }
}

/// What the tests turn while a listener runs.
final class Situation: Sendable {
    static let adminKey = "admin-key-0123456789"
    static let userKey = "user-key-0123456789"

    let seconds = Atomic<Int64>(1_800_000_000)
    let stillAdmin = Atomic<Bool>(true)
    /// Whether the admin's key is another one by now.
    let keyIsNew = Atomic<Bool>(false)
    let ready = Atomic<Bool>(true)
    let reloads = Atomic<Int>(0)
    let isReachedOverTLS = Atomic<Bool>(false)
    let reloadSucceeds = Atomic<Bool>(true)
    let grants = GrantMemory()
    let hasPhotos = Atomic<Bool>(false)
    /// Who else is an admin.
    let admins = Mutex<[String]>([])
    let revocations = RevocationBook()

    /// Ends everything that was issued to the admin up to now.
    func revoke(blocking: Bool) {
        revocations.update { $0.end(.principal(.user("root")), issuedUpTo: now(), isBlocked: blocking) }
    }

    /// What requests are explained by: alice may do everything in photos.
    private var snapshot: Snapshot {
        do {
            var caller = APICaller(desk: Desk([], version: "9.9.9"))
            if hasPhotos.load(ordering: .relaxed) { caller.buckets = [try photos()] }
            caller.admins = Set(admins.withLock { $0 }.map { .user($0) })
            return try caller.snapshot()
        } catch {
            preconditionFailure("the tests' own snapshot: \(error)")
        }
    }

    func now() -> Instant { Instant(secondsSince1970: seconds.load(ordering: .relaxed)) }

    func sources(auditLog: AuditLog? = nil) -> AdminSources {
        let metrics = MetricsRegistry(version: "9.9.9", startedAt: now())
        var sources = AdminSources(
            version: "9.9.9",
            startedAt: now(),
            now: { self.now() },
            random: { count in (0..<count).map { _ in UInt8.random(in: 0...255) } },
            metrics: metrics,
            readiness: {
                ReadinessReport(
                    ready: self.ready.load(ordering: .relaxed),
                    checks: [.init(name: "configuration", ok: true, detail: "<b>loaded</b>")],
                    pendingRestart: ["server.listen"]
                )
            },
            buckets: {
                [BucketStatus(name: "photos", backendType: "s3", endpoint: "127.0.0.1:8333", health: .up)]
            },
            effectiveConfiguration: { Array("{\"users\":[{\"api_key\":\"***\"}]}".utf8) },
            reload: {
                self.reloads.add(1, ordering: .relaxed)
                let succeeds = self.reloadSucceeds.load(ordering: .relaxed)
                return ReloadReport(succeeded: succeeds, messages: succeeds ? [] : ["gatehouse.toml:3: unknown key"])
            },
            authenticate: { key in
                if constantTimeEqual(key, Array(Self.adminKey.utf8)) { return .admin(.user("root")) }
                if constantTimeEqual(key, Array(Self.userKey.utf8)) { return .notAdmin(.user("alice")) }
                return .unknown
            },
            isAdmin: { principal, key in
                self.stillAdmin.load(ordering: .relaxed) && principal == .user("root")
                    && key == APIKeyDigest(of: Self.adminKey.utf8) && !self.keyIsNew.load(ordering: .relaxed)
            },
            revocations: revocations,
            explainBasis: { ExplainBasis(snapshot: self.snapshot, tokens: NoTokens()) },
            auditLog: auditLog
        )
        sources.isReachedOverTLS = { self.isReachedOverTLS.load(ordering: .relaxed) }
        sources.grants = GrantAPI(
            grants,
            keeper: GrantKeeper(grants, clock: now),
            log: IssueLog(auditLog),
            random: sources.random
        )
        return sources
    }
}

/// An answer as it came.
struct Answer: Sendable {
    let status: Int
    let fields: [(name: String, value: String)]
    let body: String

    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
    func fields(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    init(_ text: String) {
        let parts = text.replacing("\r\n", with: "\n").split(
            separator: "\n\n",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        let lines = (parts.first ?? "").split(separator: "\n")
        status = lines.first.flatMap { Int($0.split(separator: " ").dropFirst().first ?? "") } ?? 0
        fields = lines.dropFirst().map { line in
            let pair = line.split(separator: ":", maxSplits: 1)
            return (pair[0].lowercased(), pair.count > 1 ? pair[1].trimmingCharacters(in: .whitespaces) : "")
        }
        body = parts.count > 1 ? String(parts[1]) : ""
    }
}

/// A listener with a client that sends exactly what it is told, `Host` included.
struct Client: Sendable {
    let port: Int
    let socketPath: String
    let group: MultiThreadedEventLoopGroup

    func send(
        _ method: String = "GET",
        _ path: String,
        _ fields: [(String, String)] = [],
        host: String? = nil,
        form: String? = nil,
        json: String? = nil,
        overSocket: Bool = false
    ) async throws -> Answer {
        var text = "\(method) \(path) HTTP/1.1\r\nhost: \(host ?? "127.0.0.1:\(port)")\r\nconnection: close\r\n"
        for (name, value) in fields { text += "\(name): \(value)\r\n" }
        if let form {
            text +=
                "content-type: application/x-www-form-urlencoded\r\ncontent-length: \(form.utf8.count)\r\n\r\n\(form)"
        } else if let json {
            text += "content-type: application/json\r\ncontent-length: \(json.utf8.count)\r\n\r\n\(json)"
        } else {
            text += (method == "POST" ? "content-length: 0\r\n" : "") + "\r\n"
        }
        let request = ByteBuffer(string: text)
        let bootstrap = ClientBootstrap(group: group).connectTimeout(.seconds(60))
        let setUp: @Sendable (any Channel) -> EventLoopFuture<EventLoopFuture<ByteBuffer>> = { channel in
            channel.eventLoop.makeCompletedFuture {
                let answer = channel.eventLoop.makePromise(of: ByteBuffer.self)
                try channel.pipeline.syncOperations.addHandler(Asking(request, answer))
                return answer.futureResult
            }
        }
        let answer =
            overSocket
            ? try await bootstrap.connect(unixDomainSocketPath: socketPath, channelInitializer: setUp)
            : try await bootstrap.connect(host: "127.0.0.1", port: port, channelInitializer: setUp)
        return Answer(String(buffer: try await answer.get()))
    }

    /// Asks as soon as there is a connection, on the connection's loop: tasks may wait for their turn longer than a
    /// listener keeps a connection on which nothing is asked.
    private final class Asking: ChannelInboundHandler {
        typealias InboundIn = ByteBuffer
        typealias OutboundOut = ByteBuffer

        private let request: ByteBuffer
        private let answer: EventLoopPromise<ByteBuffer>
        private var received = ByteBuffer()

        init(_ request: ByteBuffer, _ answer: EventLoopPromise<ByteBuffer>) {
            self.request = request
            self.answer = answer
        }

        func channelActive(context: ChannelHandlerContext) {
            context.writeAndFlush(wrapOutboundOut(request), promise: nil)
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            received.writeImmutableBuffer(unwrapInboundIn(data))
        }

        func errorCaught(context: ChannelHandlerContext, error: any Error) {
            answer.fail(error)
            context.close(promise: nil)
        }

        func handlerRemoved(context: ChannelHandlerContext) { answer.succeed(received) }
    }

    /// Logs in as a browser does: the form first, then its token with its cookie. Gives the session's cookie.
    func logIn(key: String = Situation.adminKey, _ extra: [(String, String)] = []) async throws -> Answer {
        let page = try await send("GET", "/login")
        let cookie = page.field("set-cookie")?.split(separator: ";").first.map(String.init) ?? ""
        return try await send(
            "POST",
            "/login",
            [("cookie", cookie)] + extra,
            form: "csrf=\(csrf(page))&api_key=\(key)"
        )
    }

    func csrf(_ page: Answer) -> String {
        guard let start = page.body.firstRange(of: "name=\"csrf\"")?.upperBound,
            let value = page.body[start...].firstRange(of: "value=\"")?.upperBound
        else { return "" }
        return String(page.body[value...].prefix { $0 != "\"" })
    }

    func session(_ login: Answer) -> String {
        login.fields("set-cookie").first { $0.hasPrefix("gatehouse_session=") }?.split(separator: ";").first
            .map(String.init) ?? ""
    }
}

/// Runs a listener for the time of `body`.
func withListener(
    _ situation: Situation = Situation(),
    on host: String = "127.0.0.1",
    allowedHosts: [String] = [],
    auditLog: AuditLog? = nil,
    socketIn directory: TemporaryDirectory? = nil,
    _ body: (Client) async throws -> Void
) async throws {
    let group = MultiThreadedEventLoopGroup.singleton
    let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
    let socketPath = directory?.file("admin.sock")
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let listener = try AdminListener(
        settings: AdminSettings(host: host, port: 0, allowedHosts: allowedHosts, socketPath: socketPath),
        sources: situation.sources(auditLog: auditLog),
        group: group,
        logger: logger,
        onServing: { continuation.yield($0) }
    )
    try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask {
            defer { continuation.finish() }
            do { try await listener.run() } catch is CancellationError {}
        }
        var iterator = ports.makeAsyncIterator()
        guard let port = await iterator.next() else { return try await tasks.waitForAll() }
        if let socketPath {
            _ = try await eventually { FileManager.default.fileExists(atPath: socketPath) }
        }
        try await body(Client(port: port, socketPath: socketPath ?? "", group: group))
        tasks.cancelAll()
    }
}
