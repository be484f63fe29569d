import Foundation
import ServiceLifecycle

/// The code that the start went through: reading the configuration, opening the state, setting up what serves. It is
/// unmapped once that is over.
///
/// Linux counts each page of the executable that was ever touched, and those around it that it maps along, as the
/// process's memory for as long as it lives, though nothing but the start may have needed them.
struct StartingCode: Service {
    /// By then every service has begun.
    private static let startTime = Duration.milliseconds(500)

    func run() async throws {
        try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.startTime) }
        Self.release()
        try? await gracefulShutdown()
    }

    /// Unmaps the executable's code. What is needed again is mapped again at its next use, from the system's cache:
    /// nothing is lost, and nothing read anew.
    private static func release() {
        #if os(Linux)
            guard let executable = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
                let maps = FileManager.default.contents(atPath: "/proc/self/maps")
            else { return }
            // 55e1c8a00000-55e1ca900000 r-xp 00000000 fe:00 1234  /usr/bin/gatehouse
            for line in String(decoding: maps, as: UTF8.self).split(separator: "\n") where line.hasSuffix(executable) {
                let fields = line.split(separator: " ")
                let bounds = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
                // Code is never written to; pages that are would lose what was written.
                guard fields[1] == "r-xp", bounds.count == 2 else { continue }
                let start = UnsafeMutableRawPointer(bitPattern: bounds[0])
                _ = madvise(start, Int(bounds[1] - bounds[0]), MADV_DONTNEED)
            }
        #endif
    }
}
