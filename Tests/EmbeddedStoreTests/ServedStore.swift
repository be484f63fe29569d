import HTTP1
import Logging
import NIOCore
import NIOPosix
import S3API
import Signatures
import WireFormats

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A store that serves on a socket for the time of a test.
struct ServedStore: Sendable {
    static let now = Instant(secondsSince1970: 1_800_000_000)
    static let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"

    let socketPath: String

    /// Runs `body` while the store serves, with the bucket `demo`.
    static func serving(_ body: @Sendable (ServedStore) async throws -> Void) async throws {
        let directory = TemporaryDirectory()
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var configuration = EmbeddedStore.Configuration(
            directory: directory.path + "/store",
            socketPath: directory.path + "/run/s3.sock",
            accessKeyID: "AKEXAMPLE",
            secretAccessKey: Secret(secret),
            buckets: [try bucketName("demo")]
        )
        configuration.minimumPartSize = 5
        let store = try EmbeddedStore(configuration, now: { now }, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await store.run() }
            try await store.untilServing()
            do {
                try await body(ServedStore(socketPath: configuration.socketPath))
            } catch {
                group.cancelAll()
                throw error
            }
            group.cancelAll()
            while let result = await group.nextResult() { _ = result }
        }
        withExtendedLifetime(directory) {}
    }

    struct Answer: Sendable {
        let status: Int
        let fields: FieldBlock
        let body: [UInt8]
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    /// One signed request over a connection of its own.
    func send(
        _ method: HTTPMethod,
        _ path: String,
        query: String = "",
        _ body: String = "",
        fields: [(String, String)] = [],
        payload: PayloadHash = .unsigned,
        secret: String = ServedStore.secret
    ) async throws -> Answer {
        let bytes = raw(method, path, query: query, body, fields: fields, payload: payload, secret: secret)
        return try await send(bytes, method: method)
    }

    /// The bytes of a signed request.
    func raw(
        _ method: HTTPMethod,
        _ path: String,
        query: String = "",
        _ body: String = "",
        fields: [(String, String)] = [],
        payload: PayloadHash = .unsigned,
        secret: String = ServedStore.secret,
        announcing length: Int? = nil
    ) -> [UInt8] {
        var request = OutgoingRequest(method: method, path: Array(path.utf8), query: Array(query.utf8))
        request.fields.append("host", "store")
        for (name, value) in fields { request.fields.append(name.utf8, value.utf8) }
        SigV4Signer(accessKeyID: "AKEXAMPLE", secret: Secret(secret), region: "us-east-1")
            .sign(&request, payload: payload, at: Self.now)
        if !body.isEmpty || method == .put {
            request.fields.append("content-length", String(length ?? body.utf8.count))
        }
        request.fields.append("connection", "close")
        var bytes = Array("\(method.name) \(path)\(query.isEmpty ? "" : "?" + query) HTTP/1.1\r\n".utf8)
        bytes += request.fields.bytes
        bytes += Array("\r\n".utf8) + Array(body.utf8)
        return bytes
    }

    /// Sends bytes, stops sending, and reads the answer to its end.
    func send(_ bytes: [UInt8], method: HTTPMethod) async throws -> Answer {
        let received = try await StoreFixture.threads.runIfActive { try exchange(bytes) }
        guard let head = received.firstRange(of: Array("\r\n\r\n".utf8)) else { throw Disconnected() }
        var fields = FieldBlock()
        let lines = received[..<head.lowerBound].split(separator: UInt8(ascii: "\n"))
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[(colon + 1)...].drop { $0 == UInt8(ascii: " ") }.prefix { $0 != UInt8(ascii: "\r") }
            fields.append(line[..<colon], value)
        }
        let status = String(decoding: lines[0].dropFirst(9).prefix(3), as: UTF8.self)
        return Answer(status: Int(status) ?? 0, fields: fields, body: Array(received[head.upperBound...]))
    }

    struct Disconnected: Error {}

    private func exchange(_ bytes: [UInt8]) throws -> [UInt8] {
        #if canImport(Glibc)
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        defer { close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard connected == 0 else { throw FileFailure(operation: "connect", code: errno) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard sent > 0 else { break }
            rest = rest.dropFirst(sent)
        }
        shutdown(descriptor, Int32(SHUT_WR))
        var received: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            guard count > 0 else { return received }
            received += buffer[..<count]
        }
    }
}

extension Array where Element == UInt8 {
    func firstRange(of wanted: [UInt8]) -> Range<Int>? {
        guard count >= wanted.count else { return nil }
        for start in 0...(count - wanted.count) where self[start...].starts(with: wanted) {
            return start..<(start + wanted.count)
        }
        return nil
    }
}
