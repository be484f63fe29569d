import S3API
import SQLiteState
import Valet
import WireFormats

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Issues and completes upload slots through the state alone, with many callers at once.
///
///     statebench issue FILE SLOTS CALLERS    one line of JSON: seconds, CPU seconds, slots per second
///     statebench work FILE CALLERS           until killed; prints what was acknowledged: `issued ID`, `completed ID`
@main
struct Statebench {
    static func main() async throws {
        let arguments = Array(CommandLine.arguments.dropFirst())
        guard arguments.count >= 3, let callers = arguments.last.flatMap({ Int($0) }), callers > 0 else { usage() }
        let state = try SQLiteState(.file(path: arguments[1]))
        switch arguments[0] {
        case "issue":
            guard arguments.count == 4, let slots = Int(arguments[2]), slots > 0 else { usage() }
            try await issue(slots, callers, state)
        case "work":
            try await work(callers, state)
        default: usage()
        }
        await state.close()
    }

    private static func usage() -> Never {
        print("usage: statebench issue FILE SLOTS CALLERS | work FILE CALLERS")
        exit(2)
    }

    private static func issue(_ slots: Int, _ callers: Int, _ state: SQLiteState) async throws {
        let start = now()
        let cpu = processTime()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    for _ in stride(from: caller, to: slots, by: callers) {
                        _ = try await state.insert(try sample(by: "user:\(caller)"))
                    }
                }
            }
            try await group.waitForAll()
        }
        let seconds = now().duration(since: start) / .seconds(1)
        let used = processTime() - cpu
        print(
            "{\"slots\":\(slots),\"callers\":\(callers),\"seconds\":\(seconds),\"cpu_seconds\":\(used),"
                + "\"per_second\":\(Int(Double(slots) / seconds))}"
        )
    }

    /// Until it is killed, or whoever started it is.
    private static func work(_ callers: Int, _ state: SQLiteState) async throws {
        let parent = getppid()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for caller in 0..<callers {
                group.addTask {
                    while getppid() == parent {
                        let slot = try sample(by: "user:\(caller)")
                        _ = try await state.insert(slot)
                        acknowledge("issued " + slot.id)
                        let object = FoundObject(etag: "\"e\"", size: slot.size, contentType: slot.contentType)
                        let next = try slot.completed(with: object, at: now())
                        let event = SlotEvent(random: randomBytes(), next, at: now())
                        if try await state.replace(with: next, Announcement(event, to: ["hook"])) == .replaced {
                            acknowledge("completed " + slot.id)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// One write, so that lines of several tasks don't mix and none stays in a buffer.
    private static func acknowledge(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = write(1, bytes, bytes.count)
    }
}

extension SQLiteState {
    fileprivate func insert(_ slot: UploadSlot) async throws -> SlotInsertion {
        let event = SlotEvent(random: randomBytes(), slot, at: slot.issuedAt)
        return try await self.insert(slot, Announcement(event, to: ["hook"]), openLimit: 1_000_000, for: nil)
    }
}

private func sample(by issuer: String) throws -> UploadSlot {
    guard let bucket = BucketName(validating: "photos".utf8) else { throw StateError.corrupt("bucket") }
    let issued = now()
    let id = randomBytes()
    return UploadSlot(
        random: id,
        issuer: issuer,
        bucket: bucket,
        key: ObjectKey("2026/holidays/" + Hex.encode(id) + ".jpg"),
        contentType: "image/jpeg",
        size: 3_500_000,
        sha256: Array(repeating: 7, count: 32),
        metadata: ["album": "holidays"],
        mode: .put,
        landing: .direct,
        prior: .absent,
        isOnce: true,
        issuedAt: issued,
        expiresAt: issued + .seconds(300)
    )
}

private func randomBytes() -> [UInt8] {
    var generator = SystemRandomNumberGenerator()
    return (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
}

private func now() -> Instant {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Instant(nanosecondsSince1970: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
}

/// CPU time of the process in seconds.
private func processTime() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
}
