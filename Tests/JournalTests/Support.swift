import Foundation
import Identity
import Journal
import WireFormats

/// A directory that goes away with the test.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "journal-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { path + "/" + name }
}

func read(_ path: String) throws -> [UInt8] { try Array(Data(contentsOf: URL(fileURLWithPath: path))) }

func write(_ bytes: some Sequence<UInt8>, to path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
}

func lines(_ path: String) throws -> [String] {
    String(decoding: try read(path), as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: true).map(
        String.init
    )
}

func object(_ line: some StringProtocol) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any] ?? [:]
}

/// 2027-01-01T00:00:00.123Z
let newYear = Instant(nanosecondsSince1970: 1_798_761_600_123_000_000)

func record(_ number: UInt64 = 1, key: String = "a/b.txt") -> RequestRecord {
    var record = RequestRecord(
        requestID: RequestID(random: number),
        startedAt: newYear,
        clientAddress: Array("192.0.2.7".utf8),
        method: "GET"
    )
    record.duration = .microseconds(1234)
    record.principal = .user("alice")
    record.operation = "get_object"
    record.path = Array("/photos/a/b.txt".utf8)
    record.bucket = "photos"
    record.key = Array(key.utf8)
    record.status = 200
    record.bytesOut = 1024
    record.backend = "minio"
    record.timeToFirstByte = .microseconds(900)
    record.verdict = .allowed
    record.reason = "role user on allowed bucket"
    record.userAgent = Array("aws-cli/2".utf8)
    return record
}

func auditBodies(_ numbers: ClosedRange<UInt64>) -> [UInt8] {
    var clock = LineClock()
    var bytes: [UInt8] = []
    for number in numbers {
        AuditLine.append(record(number), clock: &clock, to: &bytes)
        bytes.append(0x0A)
    }
    return bytes
}

extension AuditLog {
    func append(_ numbers: ClosedRange<UInt64>) async {
        for number in numbers { submit(auditBodies(number...number), count: 1) }
        await flush()
    }
}
