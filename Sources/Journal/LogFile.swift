#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A file that only grows, or standard output. Not thread-safe: owned by one writer.
struct LogFile {
    /// Standard output, as `path = "-"` names it.
    static let standardOutput = LogFile(descriptor: STDOUT_FILENO)

    private let descriptor: Int32

    private init(descriptor: Int32) {
        self.descriptor = descriptor
    }

    /// Opens for appending, creating the file with `permissions` where it is missing. `exclusively`: no other
    /// process may hold it the same way.
    init(appendingTo path: String, permissions: mode_t, exclusively: Bool = false) throws(LogFileError) {
        descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, permissions)
        guard descriptor >= 0 else { throw LogFileError(operation: "open", path: path, code: errno) }
        if exclusively, flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            close()
            throw LogFileError(operation: "lock", path: path, code: code)
        }
    }

    /// All of the bytes, or an error after which some may have been written.
    func write(_ bytes: [UInt8]) throws(LogFileError) {
        let failure: Int32 = bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let slice = UnsafeRawBufferPointer(rebasing: rest)
                #if canImport(Glibc)
                    let written = Glibc.write(descriptor, slice.baseAddress, slice.count)
                #else
                    let written = Darwin.write(descriptor, slice.baseAddress, slice.count)
                #endif
                if written >= 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN || errno == EWOULDBLOCK {
                    // Somebody made the terminal or pipe non-blocking: wait for room.
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    if poll(&waiting, 1, 1000) == 0 { return EAGAIN }
                } else if errno != EINTR {
                    return errno
                }
            }
            return 0
        }
        guard failure == 0 else { throw LogFileError(operation: "write", path: "", code: failure) }
    }

    var size: Int {
        var status = stat()
        return fstat(descriptor, &status) == 0 ? Int(status.st_size) : 0
    }

    func truncate(to size: Int) throws(LogFileError) {
        guard ftruncate(descriptor, off_t(size)) == 0 else {
            throw LogFileError(operation: "truncate", path: "", code: errno)
        }
    }

    func synchronize() { _ = fsync(descriptor) }

    func close() {
        guard descriptor != STDOUT_FILENO else { return }
        #if canImport(Glibc)
            _ = Glibc.close(descriptor)
        #else
            _ = Darwin.close(descriptor)
        #endif
    }

    /// Whether standard output is a terminal, which is what `format = "auto"` asks.
    static var standardOutputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
}

/// A log file could not be opened or written.
package struct LogFileError: Error, CustomStringConvertible {
    package let operation: String
    package let path: String
    package let code: Int32

    package var description: String {
        if operation == "lock", code == EWOULDBLOCK { return "\(path) is in use: another Gatehouse runs on it" }
        let reason = String(cString: strerror(code))
        return path.isEmpty ? "\(operation): \(reason)" : "can't \(operation) \(path): \(reason)"
    }
}
