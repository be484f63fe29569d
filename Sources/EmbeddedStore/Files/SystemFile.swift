import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// An open file descriptor, closed with its last reference. Reads and writes are positional or sequential calls that
/// block; they run on the store's thread pool only.
final class SystemFile: Sendable {
    private let descriptor: Int32

    private init(descriptor: Int32) { self.descriptor = descriptor }

    deinit { _ = close(descriptor) }

    /// A new file, 0600, that must not exist yet.
    static func create(_ path: String) throws(FileFailure) -> SystemFile {
        SystemFile(descriptor: try check("open", open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)))
    }

    /// Makes an empty file, 0600, where there is none. Returns whether it did.
    static func ensure(_ path: String) throws(FileFailure) -> Bool {
        let descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        if descriptor < 0, errno == EEXIST { return false }
        _ = SystemFile(descriptor: try check("open", descriptor))
        return true
    }

    /// An existing file for reading; nil where there is none.
    static func openExisting(_ path: String) throws(FileFailure) -> SystemFile? {
        do {
            return SystemFile(descriptor: try check("open", open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)))
        } catch {
            if error.isAbsence { return nil }
            throw error
        }
    }

    /// Writes all the bytes at the file's position.
    func write(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            #if canImport(Glibc)
                let written = Glibc.write(descriptor, base, rest.count)
            #elseif canImport(Musl)
                let written = Musl.write(descriptor, base, rest.count)
            #else
                let written = Darwin.write(descriptor, base, rest.count)
            #endif
            if written < 0 {
                if errno == EINTR { continue }
                throw FileFailure(operation: "write", code: errno)
            }
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// At most `count` bytes from `offset`; fewer only at the end of the file.
    func read(at offset: Int64, upTo count: Int) throws(FileFailure) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        var failure: FileFailure?
        while buffer.readableBytes < count && failure == nil {
            let wanted = count - buffer.readableBytes
            let position = off_t(offset) + off_t(buffer.readableBytes)
            let received = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: wanted) { space in
                let received = pread(descriptor, space.baseAddress, wanted, position)
                if received < 0 { failure = FileFailure(operation: "pread", code: errno) }
                return max(received, 0)
            }
            if failure?.code == EINTR {
                failure = nil
                continue
            }
            if received == 0 { break }
        }
        if let failure { throw failure }
        return buffer
    }

    /// Returns once the file's bytes and size are on the medium.
    func synchronize() throws(FileFailure) {
        #if canImport(Darwin)
            if fcntl(descriptor, F_FULLFSYNC) == 0 { return }
        #endif
        try check("fsync", fsync(descriptor))
    }
}

/// What a system call refused, as errno.
package struct FileFailure: Error, CustomStringConvertible {
    let operation: StaticString
    let code: Int32

    static var absence: Int32 { ENOENT }
    /// There is no such file.
    var isAbsence: Bool { code == ENOENT }
    /// Somebody else holds the lock.
    var isHeld: Bool { code == EWOULDBLOCK }
    /// The medium or the quota is full.
    var isFull: Bool { code == ENOSPC || code == EDQUOT }
    package var description: String { "\(String(cString: strerror(code))) (\(operation))" }
}

@discardableResult
func check(_ operation: StaticString, _ result: Int32) throws(FileFailure) -> Int32 {
    guard result >= 0 else { throw FileFailure(operation: operation, code: errno) }
    return result
}

/// A directory of the store: made, listed and synchronised by path. All paths are the store's own, none is a
/// client's.
enum SystemDirectory {
    /// Makes the directory, 0700; one that exists is fine. Returns whether it made it.
    @discardableResult
    static func make(_ path: String) throws(FileFailure) -> Bool {
        if mkdir(path, 0o700) == 0 { return true }
        guard errno == EEXIST else { throw FileFailure(operation: "mkdir", code: errno) }
        return false
    }

    /// Returns once the directory's entries are on the medium.
    static func synchronize(_ path: String) throws(FileFailure) {
        let descriptor = try check("open", open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC))
        defer { _ = close(descriptor) }
        try check("fsync", fsync(descriptor))
    }

    /// The names in the directory, without `.` and `..`.
    static func names(in path: String) throws(FileFailure) -> [String] {
        guard let directory = opendir(path) else { throw FileFailure(operation: "opendir", code: errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names
    }

    static func move(_ from: String, to destination: String) throws(FileFailure) {
        try check("rename", rename(from, destination))
    }

    /// Removes the file; one that is absent is fine.
    static func remove(_ path: String) throws(FileFailure) {
        if unlink(path) != 0 && errno != ENOENT { throw FileFailure(operation: "unlink", code: errno) }
    }

    /// Takes an exclusive lock on the file of that path until the result is released: two stores over one directory
    /// would each sweep the other's files.
    static func lock(_ path: String) throws(FileFailure) -> DirectoryLock {
        let descriptor = try check("open", open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600))
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            _ = close(descriptor)
            throw FileFailure(operation: "flock", code: code)
        }
        return DirectoryLock(descriptor: descriptor)
    }
}

/// Held while a store is open over a directory; the kernel releases it with the process, however it ends.
final class DirectoryLock: Sendable {
    private let descriptor: Int32
    init(descriptor: Int32) { self.descriptor = descriptor }

    /// At once, whoever still refers to the store.
    func release() { _ = flock(descriptor, LOCK_UN) }

    deinit { _ = close(descriptor) }
}
