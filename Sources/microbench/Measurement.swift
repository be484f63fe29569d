#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// What one operation costs, measured in batches that last long enough for the clock to be exact.
struct Measurement {
    static let batches = 15
    /// How long a batch lasts at least, in nanoseconds.
    private static let batchTime: Int64 = 20_000_000

    let name: String
    /// The median of the batches: CPU time per operation.
    let nanoseconds: Int64
    let fastest: Int64
    /// In one batch.
    let operations: Int
    /// That one operation goes through; 0 where that says nothing.
    let bytes: Int

    var batches: Int { Self.batches }

    /// - Parameter operation: says whether it went as it should, so that nothing is measured that failed, and nothing is
    ///   left out by the optimizer.
    init(_ name: String, bytes: Int = 0, _ operation: () throws -> Bool) throws {
        var count = 1
        while try Self.batch(count, of: name, operation) < Self.batchTime { count *= 2 }
        var times: [Int64] = []
        for _ in 0..<Self.batches { times.append(try Self.batch(count, of: name, operation) / Int64(count)) }
        times.sort()
        self.name = name
        nanoseconds = times[times.count / 2]
        fastest = times[0]
        operations = count
        self.bytes = bytes
    }

    /// `10.2 GB/s` (10^9 bytes); nil where no bytes are counted.
    var throughput: String? {
        guard bytes > 0, nanoseconds > 0 else { return nil }
        let tenths = Int64(bytes) * 10 / nanoseconds
        return "\(tenths / 10).\(tenths % 10) GB/s"
    }

    private static func batch(_ count: Int, of name: String, _ operation: () throws -> Bool) throws -> Int64 {
        let start = threadTime()
        var successes = 0
        for _ in 0..<count where try operation() { successes += 1 }
        let time = threadTime() - start
        guard successes == count else { throw UnexpectedOutcome(name: name) }
        return time
    }

    /// CPU time of this thread, in nanoseconds (clock_gettime(2)).
    private static func threadTime() -> Int64 {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// What was measured did not do what it is measured for.
struct UnexpectedOutcome: Error {
    let name: String
}
