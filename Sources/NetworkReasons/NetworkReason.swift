import AsyncHTTPClient
import NIOCore
import NIOPosix
import NIOSSL

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// What went wrong between us and somebody on the network, for people: of what the libraries say, the words and not their
/// names for it.
package struct NetworkReason: Hashable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ error: any Error) {
        description = Self.words(error)
    }

    private static func words(_ error: any Error) -> String {
        switch error {
        case let error as IOError: String(cString: strerror(error.errnoCode))
        case let error as NIOConnectionError:
            // Of several addresses the first one tells.
            error.connectionErrors.first.map { words($0.error) }
                ?? (error.dnsAError ?? error.dnsAAAAError).map(words) ?? "the host \(error.host) is not found"
        case let error as SocketAddressError.UnknownHost:
            "the host \(error.host) is not found: \(error.errorDescription)"
        case let error as ChannelError: words(error)
        case let error as NIOSSLError: words(error)
        case let error as BoringSSLError: words(error)
        case let error as HTTPClientError:
            timeouts.contains(error) ? inTime : error.shortDescription
        default: "\(error)"
        }
    }

    private static let inTime = "no answer in time"
    private static let timeouts: [HTTPClientError] = [.connectTimeout, .deadlineExceeded, .readTimeout]

    private static func words(_ error: ChannelError) -> String {
        switch error {
        case .connectTimeout: "no connection in time"
        case .eof, .alreadyClosed, .ioOnClosedChannel, .inputClosed, .outputClosed: "the connection was closed"
        default: "\(error)"
        }
    }

    private static func words(_ error: NIOSSLError) -> String {
        switch error {
        case .handshakeFailed(let reason): words(reason)
        case .uncleanShutdown: "the connection was cut off without TLS's goodbye"
        case .unableToValidateCertificate, .noCertificateToValidate: "its certificate can't be verified"
        default: "\(error)"
        }
    }

    /// `error:1000007d:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED at FILE:LINE` is the library's form.
    private static func words(_ error: BoringSSLError) -> String {
        guard case .sslError(let stack) = error, let first = stack.first else { return "the TLS handshake failed" }
        let name = first.description.split(separator: " at ").first?.split(separator: ":").last ?? ""
        return "the TLS handshake failed: " + name.drop { $0 == " " }.lowercased().replacing("_", with: " ")
    }
}
