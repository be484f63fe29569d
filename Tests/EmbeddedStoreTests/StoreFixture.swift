import HTTP1
import Logging
import NIOCore
import NIOPosix
import S3API
import Signatures
import Synchronization
import WireFormats

@testable import EmbeddedStore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A directory of its own under /tmp, removed at the end.
final class TemporaryDirectory: Sendable {
    let path: String

    init() {
        path = "/tmp/ghs-\(UInt64.random(in: 0...UInt64.max))"
        mkdir(path, 0o700)
    }

    deinit { remove(path) }

    private func remove(_ path: String) {
        if let names = try? SystemDirectory.names(in: path) {
            for name in names { remove(path + "/" + name) }
            rmdir(path)
        } else {
            unlink(path)
        }
    }
}

/// A store below HTTP.
struct StoreFixture {
    static let start = Instant(secondsSince1970: 1_800_000_000)
    static let threads: NIOThreadPool = {
        let threads = NIOThreadPool(numberOfThreads: 4)
        threads.start()
        return threads
    }()

    let directory: TemporaryDirectory
    let store: ObjectStore
    let bucket: BucketName

    init(directory: TemporaryDirectory, store: ObjectStore, bucket: BucketName) {
        self.directory = directory
        self.store = store
        self.bucket = bucket
    }

    init(minimumPartSize: Int64 = 10) async throws {
        directory = TemporaryDirectory()
        store = try Self.open(directory.path, minimumPartSize: minimumPartSize)
        bucket = try bucketName("demo")
        try await store.createBucket(bucket)
    }

    static func open(_ path: String, minimumPartSize: Int64 = 10) throws -> ObjectStore {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        return try ObjectStore(
            directory: path,
            threads: threads,
            now: { start },
            logger: logger,
            minimumPartSize: minimumPartSize
        )
    }

    @discardableResult
    func put(
        _ key: String,
        _ text: String,
        if conditions: Conditions = Conditions(),
        fields: StoredFields = StoredFields()
    ) async throws -> StoredObject {
        try await store.put(
            bucket,
            ObjectKey(key),
            pieces(text),
            BodyClaims(length: Int64(text.utf8.count)),
            fields: fields,
            if: conditions
        )
    }

    func text(_ key: String, _ selection: Selection = .whole) async throws -> String {
        guard case .found(let found) = try await store.find(bucket, ObjectKey(key), selection) else {
            throw S3Error(.preconditionFailed)
        }
        var bytes: [UInt8] = []
        for try await chunk in found.reader.chunks() { bytes += chunk.readableBytesView }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The files of the store's directories, with whatever their names say.
    func files() throws -> (incoming: Int, data: Int) {
        let data = try SystemDirectory.names(in: directory.path + "/data")
            .map { try SystemDirectory.names(in: directory.path + "/data/" + $0).count }.reduce(0, +)
        return (try SystemDirectory.names(in: directory.path + "/incoming").count, data)
    }
}

func bucketName(_ text: String) throws -> BucketName {
    guard let name = BucketName(validating: text) else { throw S3Error(.invalidBucketName) }
    return name
}

/// A text as a body of small buffers.
func pieces(_ text: String, of size: Int = 7) -> AsyncStream<ByteBuffer> {
    let bytes = Array(text.utf8)
    return AsyncStream { continuation in
        for start in stride(from: 0, to: bytes.count, by: size) {
            continuation.yield(ByteBuffer(bytes: bytes[start..<min(start + size, bytes.count)]))
        }
        continuation.finish()
    }
}

/// The code an operation is refused with; nil where it is not.
func refusal(_ operation: () async throws -> Void) async -> S3Error.Code? {
    do {
        try await operation()
        return nil
    } catch {
        return (error as? S3Error)?.code
    }
}
