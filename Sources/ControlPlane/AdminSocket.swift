import Foundation
import Synchronization
import WireFormats

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The command line's Unix socket. Whoever can connect is an admin, so nobody else may connect at any instant: it is
/// bound inside a directory of mode 0700, made 0600, and only then moved to where it belongs.
final class AdminSocket: Sendable {
    let path: String
    /// Where the listener binds it.
    let bindingPath: String
    private let directory: String
    private let published = Mutex<String?>(nil)

    /// Throws if another process answers on the path. What a dead one left behind is replaced.
    init(path: String, random: (Int) -> [UInt8]) throws(ControlPlaneError) {
        self.path = path
        let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
        directory = parent + "/." + Hex.encode(random(4))
        bindingPath = directory + "/a"
        guard max(path.utf8.count, bindingPath.utf8.count) <= AdminSettings.longestSocketPath else {
            throw ControlPlaneError("the admin socket's path is too long for the system: \(path)")
        }
        if Self.answers(path) { throw ControlPlaneError("another instance is running: it answers on \(path)") }
        guard mkdir(directory, 0o700) == 0 else {
            throw ControlPlaneError("can't make the admin socket in \(parent): \(String(cString: strerror(errno)))")
        }
    }

    /// Makes the bound socket reachable under its path.
    func publish() throws(ControlPlaneError) {
        guard chmod(bindingPath, 0o600) == 0, rename(bindingPath, path) == 0 else {
            throw ControlPlaneError("can't make the admin socket \(path): \(String(cString: strerror(errno)))")
        }
        _ = rmdir(directory)
        published.withLock { $0 = Self.inode(path) }
    }

    /// Removes what is still ours.
    func remove() {
        let own = published.withLock { $0 }
        if let own, own == Self.inode(path) { _ = unlink(path) }
        _ = unlink(bindingPath)
        _ = rmdir(directory)
    }

    /// The number of the file itself, as text: what type it comes as differs between Foundations.
    private static func inode(_ path: String) -> String? {
        let attributes = try? FileManager.default.attributesOfItem(atPath: path)
        return attributes?[.systemFileNumber].map { "\($0)" }
    }

    private static func answers(_ path: String) -> Bool {
        #if canImport(Glibc)
            let type = Int32(SOCK_STREAM.rawValue)
        #else
            let type = SOCK_STREAM
        #endif
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { return false }
        defer { _ = close(descriptor) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, length) == 0 }
        }
    }
}
