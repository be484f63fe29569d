import Foundation
package import HTTP1
import NIOCore

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The command line's side of the admin socket: one call to a running instance.
package struct AdminClient: Sendable {
    private let socketPath: String

    package init(socketPath: String) {
        self.socketPath = socketPath
    }

    package struct Answer: Sendable {
        package let head: ResponseHead
        package let body: [UInt8]
    }

    /// More than any answer of the admin API has.
    private static let longestAnswer = 64 << 20

    /// - Throws: ``AdminClientFailure`` where no instance answers.
    package func get(_ path: String, accept: String) throws(AdminClientFailure) -> Answer {
        try ask(.get, path, accept: accept, "\r\n", [])
    }

    /// - Throws: ``AdminClientFailure`` where no instance answers.
    package func post(
        _ path: String,
        _ body: [UInt8],
        type: String,
        accept: String
    ) throws(AdminClientFailure) -> Answer {
        let fields = "content-type: \(type)\r\ncontent-length: \(body.count)\r\n\r\n"
        return try ask(.post, path, accept: accept, fields, body)
    }

    private func ask(
        _ method: HTTPMethod,
        _ path: String,
        accept: String,
        _ rest: String,
        _ body: [UInt8]
    ) throws(AdminClientFailure) -> Answer {
        let descriptor = try open()
        defer { _ = close(descriptor) }
        let head =
            "\(method.name) \(path) HTTP/1.1\r\nhost: gatehouse\r\nconnection: close\r\naccept: \(accept)\r\n"
        try send(Array((head + rest).utf8) + body, to: descriptor)
        var buffer = try receive(from: descriptor)
        var parser = ResponseParser(requestMethod: method)
        guard case .head(let answer) = parser.parse(&buffer) else {
            throw AdminClientFailure("the instance's answer could not be read")
        }
        return Answer(head: answer, body: Array(buffer.readableBytesView))
    }

    private func open() throws(AdminClientFailure) -> Int32 {
        var address = sockaddr_un()
        guard socketPath.utf8.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw AdminClientFailure("the socket's path is too long: \(socketPath)")
        }
        #if canImport(Glibc)
            let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        #else
            let descriptor = socket(AF_UNIX, SOCK_STREAM, 0)
        #endif
        guard descriptor >= 0 else { throw AdminClientFailure("there is no socket to be had") }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: socketPath.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, length)
            }
        }
        guard result == 0 else {
            let reason = String(cString: strerror(errno))
            _ = close(descriptor)
            throw AdminClientFailure("no running instance answers on \(socketPath): \(reason)")
        }
        var limit = timeval(tv_sec: 60, tv_usec: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        return descriptor
    }

    private func send(_ bytes: [UInt8], to descriptor: Int32) throws(AdminClientFailure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let sent = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if sent < 0, errno == EINTR { continue }
            guard sent > 0 else { throw AdminClientFailure("the instance closed the connection") }
            rest = rest.dropFirst(sent)
        }
    }

    private func receive(from descriptor: Int32) throws(AdminClientFailure) -> ByteBuffer {
        var buffer = ByteBuffer()
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while buffer.readableBytes < Self.longestAnswer {
            let count = chunk.withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw AdminClientFailure("the instance did not answer in time") }
            if count == 0 { return buffer }
            buffer.writeBytes(chunk[..<count])
        }
        throw AdminClientFailure("the instance's answer is too long")
    }
}

/// Why a running instance could not be asked.
package struct AdminClientFailure: Error, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}
