import NIOCore
import NIOSSL

/// TLS towards stores: always verified, against the system's authorities or those that the configuration names.
enum UpstreamTLS {
    /// - Parameter caCertificate: PEM text; nil: the system's authorities.
    static func context(caCertificate: String?) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        configuration.certificateVerification = .fullVerification
        configuration.applicationProtocols = ["http/1.1"]
        if let caCertificate {
            configuration.trustRoots = .certificates(try NIOSSLCertificate.fromPEMBytes(Array(caCertificate.utf8)))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    static func handler(context: NIOSSLContext, host: String) throws -> NIOSSLClientHandler {
        // An address can't be a server name (RFC 6066, section 3); its certificate is checked against the address.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 0)) != nil
        return try NIOSSLClientHandler(context: context, serverHostname: isAddress ? nil : host)
    }

    /// Whether TLS itself failed, rather than the connection below it: one that just ends is a store that went away, with or
    /// without a word of TLS.
    static func isFailure(_ error: any Error) -> Bool {
        if let error = error as? NIOSSLError {
            return error != .uncleanShutdown && error != .handshakeFailed(.sslError([.eofDuringHandshake]))
        }
        return error is BoringSSLError || error is NIOSSLExtraError
    }
}
