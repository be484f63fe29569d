import Dispatch
import Synchronization
import Valet

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// One process's claim to the state's file: nobody else has one at the same time, however they spell its path, and it ends
/// with the process. Beside the file lies an empty one, `-lock`, that the system keeps the claim by.
final class StateClaim: Sendable {
    private let path: String
    private let identity: Identity
    private let descriptor: Mutex<Int32?>
    /// Where a file system that hangs holds up nobody but those who ask about it.
    private let queue = DispatchQueue(label: "state.claim")

    /// Which file it is, whatever its name.
    private struct Identity: Equatable {
        let device: UInt64
        let number: UInt64

        /// Nil where there is no file.
        init?(_ path: String) {
            var found = stat()
            guard stat(path, &found) == 0 else { return nil }
            device = UInt64(truncatingIfNeeded: found.st_dev)
            number = UInt64(truncatingIfNeeded: found.st_ino)
        }
    }

    /// - Parameter path: of the file, which is there.
    /// - Throws: where another process has it.
    init(_ path: String) throws(StateFault) {
        guard let identity = Identity(path), let real = realpath(path, nil) else {
            throw StateFault("can't open the state \(path): \(String(cString: strerror(errno)))")
        }
        defer { free(real) }
        let lock = String(cString: real) + "-lock"
        let descriptor = StateDatabase.openFile(lock)
        guard descriptor >= 0 else {
            throw StateFault("can't open \(lock): \(String(cString: strerror(errno)))")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            _ = close(descriptor)
            guard reason == EWOULDBLOCK else {
                throw StateFault("can't lock \(lock): \(String(cString: strerror(reason)))")
            }
            throw StateFault(
                "another instance has the state \(path): a file is for one instance, and each needs its own [state] store"
            )
        }
        self.path = path
        self.identity = identity
        self.descriptor = Mutex(descriptor)
    }

    deinit { release() }

    /// Leaves the file to others.
    func release() {
        descriptor.withLock { descriptor in
            if let descriptor { _ = close(descriptor) }
            descriptor = nil
        }
    }

    /// Takes as long as the file system does: it is for the queue that writes.
    ///
    /// - Throws: where the file that was opened is not under its path any more: it can still be written, and all of that
    ///   would be gone after a restart.
    func check() throws(StateError) {
        guard Identity(path) == identity else { throw .unavailable("its file was removed or replaced") }
    }

    /// The same, on a queue of its own.
    func checkAside() async throws(StateError) {
        let result = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { () throws(StateError) in try self.check() }) }
        }
        try result.get()
    }
}
