#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The files of one audit log on disk: `PATH`, which is written, and `PATH.1` (the newest) up to `PATH.keep`.
struct AuditFiles {
    let path: String

    /// The existing files, oldest first.
    var oldestFirst: [String] {
        let (directory, name) = split
        var numbers: [Int] = []
        if let listing = opendir(directory) {
            while let entry = readdir(listing) {
                let found = withUnsafePointer(to: &entry.pointee.d_name) {
                    $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
                }
                if found.hasPrefix(name + "."), let number = Int(found.dropFirst(name.count + 1)), number > 0 {
                    numbers.append(number)
                }
            }
            closedir(listing)
        }
        let rotated = numbers.sorted(by: >).map { path + "." + String($0) }
        return access(path, F_OK) == 0 ? rotated + [path] : rotated
    }

    private var split: (directory: String, name: String) {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return (".", path) }
        let directory = String(path[..<slash])
        return (directory.isEmpty ? "/" : directory, String(path[path.utf8.index(after: slash)...]))
    }

    /// Moves every file one number up and the written one to `PATH.1`; what would get a number above `keep` goes.
    func rotate(keep: Int) throws(LogFileError) {
        let highest = max(1, keep)
        for file in oldestFirst where file != path {
            guard let number = Int(file.dropFirst(path.count + 1)) else { continue }
            if number >= highest {
                _ = unlink(file)
            } else {
                try move(file, path + "." + String(number + 1))
            }
        }
        try move(path, path + ".1")
    }

    private func move(_ from: String, _ to: String) throws(LogFileError) {
        guard rename(from, to) == 0 else { throw LogFileError(operation: "rename", path: from, code: errno) }
    }

    /// How a file ends: its last complete line, and how many bytes of an incomplete one follow it.
    struct End {
        var lastLine: [UInt8]?
        var tornBytes: Int
        var size: Int
    }

    static func end(of file: String) throws(LogFileError) -> End {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw LogFileError(operation: "open", path: file, code: errno) }
        defer { _ = close(descriptor) }
        let size = Int(lseek(descriptor, 0, SEEK_END))
        // A sealed line has at most some 16 KiB; the window grows only for what no line of ours can be.
        var window = 64 * 1024
        while true {
            let start = max(0, size - window)
            var bytes = [UInt8](repeating: 0, count: size - start)
            let read = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress, $0.count, off_t(start)) }
            guard read == bytes.count else { throw LogFileError(operation: "read", path: file, code: errno) }
            guard let feed = bytes.lastIndex(of: 0x0A) else {
                if start == 0 { return End(lastLine: nil, tornBytes: size, size: size) }
                window *= 8
                continue
            }
            let before = bytes[..<feed].lastIndex(of: 0x0A)
            if before == nil, start > 0, window < 16 * 1024 * 1024 {
                window *= 8
                continue
            }
            let first = before.map { $0 + 1 } ?? 0
            return End(lastLine: Array(bytes[first..<feed]), tornBytes: bytes.count - feed - 1, size: size)
        }
    }
}
